# Kortelijn. One file, explicit lists: what is not named here is not built.
#
#   make            programs and library into build/
#   make check      builds with sanitizers, runs the tests
#   make demo       a closed loop on loopback, printed step by step
#   make help       all targets
#
# build/ holds the release build; check, lint and coverage build into folders
# of their own below it.

B = build
CC = gcc
PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
DESTDIR =
VERSION = 0.1.0
# Grows with a change after which a program linked before does not run.
ABI = 0

# ---- lists ------------------------------------------------------------------

SCHEMA = signed request content
BASE = err bytes arena types time origin code
CRYPTO = secret hash sign aead keyfile keyfile_sealed merkle note_text note \
	vkey proof logfile
WIRE = canon table check signed request content
DOMAIN = calendar nightly hold state feedback list referral rules rules_text \
	render person policy policy_table policy_file policy_file_write \
	approval sections
HOST = fs textfile kv slots slots_sector slots_master slots_file slots_rewrap \
	slot_keys master loop control link \
	link_client link_server conf log daemon sandbox trace
# Opening code: linked by adapters only, never by kortelijnd or kortelijn.
END = crypto/seal end/envelope end/recovery end/stream
# Command lines: linked by the programs of commands, not installed.
CLI = cli output ask enrol passphrase policy rewrap
# What auditing commands share: linked with CLI, not installed.
AUDIT = link mark records words filter names json
AUDIT += policies table csv nen7513 ldv format query
AUDIT += facts tell story story_text story_json

# Exports, and what is wrong with them.
AUDIT += tiles bundle logrecord reftab rules rules_dutch rules_form rules_clock \
	rules_message rules_conv rules_owed rules_end dirout dir kept csvcheck dircheck \
	dirverify dirlink \
	export export_state export_log export_records export_text \
	export_page

# Reports, out of the records of a log.
AUDIT += orgs spread measure measure_count \
	measure_talk measure_erase suppress page svg region report_words \
	report_region report_audit report_counts report_times report_rules \
	report_read report report_data region_data
UNIT_REPORT = audit_reftab audit_suppress audit_measure audit_region audit_report
# Proofs, and what verifies them.
AUDIT += trust logask checkpoint prove verdict verify witness

# Both halves of kortelijnd and the supervisor.
BROKER = pipe config ready supervisor
EDGE = main auth gate
# The parts of core know nothing of each other but downwards; the shell around
# them is CORE.
PARTS = vault tree month month_gone leaf scrub summary journal journal_sign daily find \
	export registry registry_store witness conversation \
	conversation_rules timer message mailbox erase retain_end repair \
	retain_forget deadline owed withdraw withdraw_row withdraw_end retain \
	present refusals
CORE = main boot fence loss control_loss exporter control_export control_log papers keys \
	cycle dispatch acks control control_status control_papers control_hold \
	control_subject control_subject_json control_left control_rewrap \
	control_witness \
	rewrap scrubber policy control_policy stats handle_hello submit handle_submit \
	handle_fetch handle_receipt handle_item_ack held handle_withdraw \
	handle_erase_receipt control_withdraw handle_directory handle_publish \
	handle_sync handle_log query_who query handle_query control_query \
	approvals control_approval
SUPERVISOR = main
CTL = main contacts cmd_export exports cmd_authority cmd_rewrap cmd_broker \
	cmd_policy cmd_enrol cmd_enrol_accept cmd_hold cmd_participant cmd_status cmd_origin \
	cmd_subject control paper term cmd_subject_export cmd_erase \
	subject_page witnesses
CTL += cmd_audit_checkpoint cmd_audit_prove cmd_audit_verify cmd_audit_witness \
	cmd_audit_cosign
CTL += trust auditor link remote remote_log remote_say cmd_audit_setup
CTL += log_names log_source cmd_audit_query cmd_audit_story
CTL += cmd_audit_export
CTL += cmd_report
CTL += fenced
COMMON = restore backup_file backup_rows backup_dir drop watch watch_work \
	config store identity directory prekeys jget json_content json_write \
	json_put profile profile_text texts letter letter_html letter_plain
# What an adapter does, without its interfaces.
ENGINE = backup alarm policy_store access access_words access_find events \
	timers terms guard cases outbox outbox_draft outbox_seal outbox_time \
	outbox_answer outbox_back receipts inbox inbox_take calls checkpoint \
	sync session session_start session_keep session_items session_asks asks \
	engine_audit log_question rewrap engine \
	engine_in engine_out engine_files subject deadlines retention \
	clock_hold engine_time backoff repeats withdraw withdraw_told \
	withdraw_onward erasure erasure_row erasure_check purge \
	engine_withdraw json_withdrawal attempts json_desk engine_desk \
	backup_void
# Its interfaces, and the commands that ask it.
FACES = cmd_backup control_backup page page_text page_withdrawal \
	letter_withdrawal control_withdraw cmd_withdraw folder folder_sweep \
	phone view view_subject control control_cmd control_case \
	control_profile control_rewrap control_desk cmd_desk alarm_text \
	view_alarm page_alarm control_alarm cmd_alarm control_policy \
	control_show control_subject control_audit control_wait cmd cmd_policy cmd_setup \
	cmd_rewrap cmd_run cmd_case cmd_show subject_letter letter_case \
	cmd_subject cmd_audit cmd_audit_story \
	commands
PRACTICE = main folder
MUNICIPALITY = main folder

# Shared by the unit tests.
SUPPORT = sample madelog tmpdir said vectors starve people papers letters \
	spec readable
SUPPORT_CORE = parts shell
SUPPORT_ADAPTER = adapter
SUPPORT_AUDIT = exportdir
UNIT_LIB = base origin logfile secret hash aead sign seal keyfile keyfile_sealed \
	merkle note vkey proof \
	fs textfile kv slots slots_rewrap slot_keys master conf log daemon \
	sandbox loop control link trace traps_zmq calendar nightly hold state \
	rules render person content policy recovery stream signed request \
	envelope message_vectors protocol schema_versions statements approval
UNIT_CORE = export vault tree journal scrub find registry conversation mailbox retain \
	retention repair sync core_rewrap core_submit core_policy core_session \
	core_delivery core_turn core_control withdrawal core_withdraw \
	sync_withdraw core_hostile witness core_query
UNIT_BROKER = pipe ready config auth gate supervisor
UNIT_CLI = cli passphrase audit_records audit_filter
UNIT_CLI += $(UNIT_REPORT)
UNIT_CLI += audit_format audit_story
UNIT_CLI += audit_rules audit_dir
UNIT_CLI += audit_verdict audit_witness
UNIT_CLI += audit_mark audit_link
UNIT_FACES = interfaces page subject cmd withdraw_pages folder_sweep
UNIT_ADAPTER = backup_file json_content profile texts letter schemas \
	adapter_config identity directory prekeys store watch
UNIT_ENGINE = backup backup_rows take_over access hostile inbox outbox session calls asks log_question \
	terms \
	deadlines adapter_retention clock_hold checkpoint receipts guard cases \
	policy_store engine withdraw erasure
INTEGRATION = 00-tests-are-counted \
	01-install-example-client \
	02-configuration-examples \
	03-lint-catches \
	05-history-checker \
	08-operator \
	06-demo \
	10-broker-bad-input \
	12-cards \
	14-folder \
	13-disk-full \
	16-instances \
	20-store-loss \
	43-subject \
	40-standby \
	31-withdrawal \
	32-subject-erase \
	41-log-export \
	30-policy \
	34-rewrap \
	22-five-weeks-off \
	36-retention \
	38-deadlines \
	45-backup \
	46-race-checker \
	47-clocks
INTEGRATION += 50-query 51-auditor 55-proofs 56-export
INTEGRATION += 54-story-formats
INTEGRATION += 59-log-terms
INTEGRATION += 57-report 58-canary
LONG = fault/kill-loop fault/seeded fault/crash-images \
	fault/withdraw-races \
	fault/mutations \
	fault/erasure-scan \
	integration/42-frozen-machine
LONG += fault/bit-flips fault/export-mutations
INTEGRATION += 52-participant 53-put-back
# Programs that only tests run: TOOLS of tests/support, BENCH of tests/bench,
# with the objects of PROBE. They link what adapters link.
PROBE = client region people
TOOLS = peer history trees
BENCH = library stored adapters \
	erasure query

PACKAGES = gcc make libc6-dev pkg-config libzmq3-dev libsodium-dev \
	libprotobuf-c-dev protobuf-c-compiler protobuf-compiler liblmdb-dev \
	check libinih-dev libjansson-dev libseccomp-dev libqrencode-dev \
	libutf8proc-dev jq openssl binutils bsdextrautils
# What some tests want besides; they say so and skip where it cannot be had.
TEST_PACKAGES = faketime e2fsprogs mount openssl golang-go \
	golang-golang-x-mod-dev
LINT_PACKAGES = clang clang-format shellcheck mandoc
COVERAGE_PACKAGES = gcovr
MODULES = libzmq libsodium libprotobuf-c lmdb inih jansson libseccomp \
	libutf8proc libqrencode

# ---- flags ------------------------------------------------------------------

WARN = -Wall -Wextra -Wpedantic -Wconversion -Werror
PKG_CFLAGS := $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
CPPFLAGS = -D_GNU_SOURCE -Iinclude -I. -I$(B)/gen $(PKG_CFLAGS) \
	-DKL_VERSION='"$(VERSION)"' $(SCHEMA_FLAG)
# Assertions stay on in release builds.
ifdef SAN
OPT = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LDOPT = -fsanitize=address,undefined
else ifdef FUZZ
OPT = -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
LDOPT = -fsanitize=address,undefined
else ifdef COVERAGE
OPT = -O0 -g --coverage -fprofile-update=atomic
LDOPT = --coverage
else
OPT = -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE \
	-fstack-protector-strong -fstack-clash-protection \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
LDOPT = -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
CFLAGS = -std=c17 $(OPT) $(WARN)
LDFLAGS = $(LDOPT)
LIBS_LIB = -lsodium -lprotobuf-c -lutf8proc
LIBS_HOST = -lzmq -llmdb -linih -lseccomp
LIBS = $(LIBS_LIB) $(LIBS_HOST)

# ---- objects ----------------------------------------------------------------

GEN_C = $(SCHEMA:%=$(B)/gen/%.pb-c.c)
GEN_H = $(SCHEMA:%=$(B)/gen/%.pb-c.h)
LIB_O = $(BASE:%=$(B)/proto/base/%.o) $(CRYPTO:%=$(B)/proto/crypto/%.o) \
	$(WIRE:%=$(B)/proto/wire/%.o) $(DOMAIN:%=$(B)/proto/domain/%.o) \
	$(HOST:%=$(B)/proto/host/%.o) $(SCHEMA:%=$(B)/gen/%.pb-c.o)
END_O = $(END:%=$(B)/proto/%.o)
CLI_O = $(CLI:%=$(B)/proto/cli/%.o) $(AUDIT:%=$(B)/proto/audit/%.o)
BROKER_O = $(BROKER:%=$(B)/broker/%.o)
EDGE_O = $(EDGE:%=$(B)/broker/edge/%.o)
CORE_O = $(PARTS:%=$(B)/broker/core/%.o) $(CORE:%=$(B)/broker/core/%.o)
SUPERVISOR_O = $(SUPERVISOR:%=$(B)/broker/%.o)
CTL_O = $(CTL:%=$(B)/broker/ctl/%.o)
COMMON_O = $(COMMON:%=$(B)/adapters/common/%.o) \
	$(ENGINE:%=$(B)/adapters/common/%.o) \
	$(B)/proto/cli/enrol.o
FACES_O = $(FACES:%=$(B)/adapters/common/%.o)
PRACTICE_O = $(PRACTICE:%=$(B)/adapters/practice/%.o)
MUNICIPALITY_O = $(MUNICIPALITY:%=$(B)/adapters/municipality/%.o)

LIB = $(B)/libkortelijn.a
LIB_END = $(B)/libkortelijn_end.a
SO = $(B)/libkortelijn.so.$(ABI)
SO_END = $(B)/libkortelijn_end.so.$(ABI)
PROGRAMS = $(if $(CORE),$(B)/kortelijnd) $(if $(CTL),$(B)/kortelijn) \
	$(if $(PRACTICE),$(B)/kortelijn-practice) \
	$(if $(MUNICIPALITY),$(B)/kortelijn-municipality)
UNIT = $(UNIT_LIB) $(UNIT_CORE) $(UNIT_BROKER) $(UNIT_CLI) $(UNIT_ADAPTER) \
	$(UNIT_ENGINE) $(UNIT_FACES)
UNIT_BIN = $(UNIT:%=$(B)/tests/unit/test_%)
INTEGRATION_SH = $(INTEGRATION:%=tests/integration/%.sh)
LONG_SH = $(LONG:%=tests/%.sh)

# Shared libraries only where they are installed from: sanitizers and counters
# belong to the program.
all: $(LIB) $(LIB_END) $(if $(SAN)$(COVERAGE),,$(SO) $(SO_END)) $(PROGRAMS)

# Other flags, other objects.
FLAGS = $(CC) $(CPPFLAGS) $(CFLAGS) PIC for libraries
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo "$$FLAGS" | cmp -s - $@ || echo "$$FLAGS" >$@
$(B)/flags: export FLAGS := $(FLAGS)
FORCE:

# The objects of the libraries serve archive and shared library.
$(LIB_O) $(END_O): PIC = -fPIC

$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: proto/schema/%.proto
	@mkdir -p $(B)/gen
	protoc-c --proto_path=proto/schema --c_out=$(B)/gen $<

# Generated code is not ours to warn about.
$(B)/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(CC) $(CPPFLAGS) -std=c17 $(OPT) $(PIC) -c -o $@ $<

$(WIRE:%=$(B)/proto/wire/%.o): $(GEN_H)

# Kept: other objects ask for the headers again.
.SECONDARY: $(GEN_C) $(GEN_H)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(PIC) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_O)
	rm -f $@
	ar rcs $@ $^

$(LIB_END): $(END_O)
	rm -f $@
	ar rcs $@ $^

# Only names with kl_ are seen from outside.
$(SO): $(LIB_O) proto/exports.map
	$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-soname,$(@F) \
	    -Wl,-z,defs -Wl,--version-script=proto/exports.map \
	    -o $@ $(LIB_O) $(LIBS)

$(SO_END): $(END_O) $(SO) proto/exports.map
	$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-soname,$(@F) \
	    -Wl,-z,defs -Wl,--version-script=proto/exports.map \
	    -o $@ $(END_O) $(SO) -lsodium

$(B)/kortelijnd: $(SUPERVISOR_O) $(EDGE_O) $(CORE_O) $(BROKER_O) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

$(B)/kortelijn: $(CTL_O) $(B)/broker/config.o $(CLI_O) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson -lqrencode

$(B)/kortelijn-practice: $(PRACTICE_O) $(FACES_O) $(COMMON_O) $(CLI_O) \
    $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

$(B)/kortelijn-municipality: $(MUNICIPALITY_O) $(FACES_O) $(COMMON_O) $(CLI_O) \
    $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

# ---- tests ------------------------------------------------------------------

SUPPORT_O = $(SUPPORT:%=$(B)/tests/support/%.o)
SUPPORT_CORE_O = $(SUPPORT_CORE:%=$(B)/tests/support/%.o)
SUPPORT_AUDIT_O = $(SUPPORT_AUDIT:%=$(B)/tests/support/%.o)
SUPPORT_ADAPTER_O = $(SUPPORT_ADAPTER:%=$(B)/tests/support/%.o)
CHECK_LIBS = $(shell pkg-config --libs check 2>/dev/null)

$(UNIT_LIB:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)

$(UNIT_CORE:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(filter-out %/main.o,$(CORE_O)) $(BROKER_O) \
    $(SUPPORT_CORE_O) $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson $(CHECK_LIBS)

# One counts how often the store is made durable, one lets erasing fail.
$(B)/tests/unit/test_core_withdraw: private LDFLAGS += \
    -Wl,--wrap=kl_kv_commit
$(B)/tests/unit/test_withdrawal: private LDFLAGS += \
    -Wl,--wrap=kl_slots_verify_zero

$(UNIT_BROKER:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(filter-out %/main.o,$(EDGE_O)) $(BROKER_O) \
    $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)

$(UNIT_CLI:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(SUPPORT_AUDIT_O) $(CLI_O) $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson $(CHECK_LIBS)

$(UNIT_ADAPTER:%=$(B)/tests/unit/test_%) \
$(UNIT_ENGINE:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(COMMON_O) $(SUPPORT_ADAPTER_O) $(SUPPORT_O) \
    $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson $(CHECK_LIBS)

$(UNIT_FACES:%=$(B)/tests/unit/test_%): $(B)/tests/unit/%: \
    $(B)/tests/unit/%.o $(filter-out %/main.o,$(PRACTICE_O) \
    $(MUNICIPALITY_O)) $(FACES_O) $(COMMON_O) $(CLI_O) \
    $(SUPPORT_ADAPTER_O) $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson $(CHECK_LIBS)

PROBE_O = $(PROBE:%=$(B)/tests/support/%.o)
TOOLS_BIN = $(TOOLS:%=$(B)/tests/support/%)
BENCH_BIN = $(BENCH:%=$(B)/tests/bench/%)

$(TOOLS_BIN): %: %.o $(PROBE_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

# Those that open the broker's store themselves.
LOGDUMP = dirout tiles bundle
$(B)/tests/support/logdump $(B)/tests/support/logfill: %: %.o \
    $(PARTS:%=$(B)/broker/core/%.o) $(BROKER_O) \
    $(LOGDUMP:%=$(B)/proto/audit/%.o) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# The whole of core, with what it does to its files recorded.
CRASH = crash_images crash_work crash_record crash_replay crash_check
$(B)/tests/fault/crash_images: $(CRASH:%=$(B)/tests/fault/%.o) \
    $(filter-out %/main.o,$(CORE_O)) $(BROKER_O) $(SUPPORT_CORE_O) \
    $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -Wl,--wrap=kl_kv_begin,--wrap=kl_kv_commit \
	    -Wl,--wrap=kl_kv_put,--wrap=kl_slots_sync -o $@ $^ $(LIBS) \
	    -ljansson $(CHECK_LIBS) -ldl

# The whole of core, on stores of which one bit was flipped.
FLIPS = bit_flips flip_dump flip_store
$(B)/tests/fault/bit_flips: $(FLIPS:%=$(B)/tests/fault/%.o) \
    $(filter-out %/main.o,$(CORE_O)) $(BROKER_O) $(SUPPORT_CORE_O) \
    $(SUPPORT_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson $(CHECK_LIBS)

# Withdrawals against deliveries.
RACES = races race_plan race_end race_take race_kill race_tell
RACES_BIN = $(B)/tests/fault/races $(B)/tests/fault/race_check
$(B)/tests/fault/races: $(RACES:%=$(B)/tests/fault/%.o) $(PROBE_O) \
    $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

$(B)/tests/fault/race_check: $(B)/tests/fault/race_check.o
	$(CC) $(LDFLAGS) -o $@ $^ -ljansson

# Checkpoints, proofs and exports that were changed.
MUTATIONS = mutations mutate
MUTATIONS_BIN = $(B)/tests/fault/mutations
$(MUTATIONS_BIN): $(MUTATIONS:%=$(B)/tests/fault/%.o) $(CLI_O) \
    $(B)/tests/support/sample.o $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

# What the scan of a raw image needs.
SCAN = erase_load erase_control image_scan
SCAN_BIN = $(SCAN:%=$(B)/tests/fault/%)
$(SCAN_BIN): %: %.o $(PROBE_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/fault/libkillat.so: tests/fault/kill_at.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c17 -O2 $(WARN) -fPIC -shared -o $@ $< -ldl

$(BENCH_BIN): %: %.o $(B)/tests/bench/meter.o $(PROBE_O) $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

# What an export costs to verify, without a broker; and one that is changed.
$(B)/tests/fault/export_mutations: $(B)/tests/fault/export_mutations.o \
    $(SUPPORT_AUDIT_O) $(CLI_O) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

$(B)/tests/bench/verify: $(B)/tests/bench/verify.o $(SUPPORT_AUDIT_O) \
    $(CLI_O) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -ljansson

$(B)/tests/bench/libsynccount.so: tests/bench/synccount.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c17 -O2 $(WARN) -fPIC -shared -o $@ $< -ldl

# Everything that a test needs, in the build that is asked for.
test-programs: all $(UNIT_BIN) run-programs

# What scripts run besides the programs themselves.
run-programs: $(TOOLS_BIN) $(MUTATIONS_BIN) $(B)/tests/support/logdump \
    $(B)/tests/support/logfill $(RACES_BIN) \
    $(SCAN_BIN) $(B)/tests/fault/libkillat.so

# As many jobs as there are processors, unless -j says otherwise.
JOBS := $(shell nproc 2>/dev/null || echo 2)
SUBMAKE = $(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) \
	--no-print-directory
CHECK_B = build/check
# Tests of the program whose content schema comes after ours. It is built for
# them only, to show that either program understands the other.
SCHEMA2 = schema_versions state content
SCHEMA2_B = build/schema2
SCHEMA2_BIN = $(SCHEMA2:%=$(SCHEMA2_B)/tests/unit/test_%-schema2)

check: deps
	-@deploy/deps.sh $(TEST_PACKAGES)
	@$(SUBMAKE) -s SAN=1 B=$(CHECK_B) test-programs
	@$(SUBMAKE) -s SAN=1 B=$(SCHEMA2_B) SCHEMA_FLAG=-DKL_SCHEMA_MAX=2 \
	    $(SCHEMA2_BIN)
	@JOBS=$(JOBS) tests/run.sh $(CHECK_B) \
	    $(UNIT:%=$(CHECK_B)/tests/unit/test_%) $(SCHEMA2_BIN) \
	    $(INTEGRATION_SH)

$(SCHEMA2_B)/tests/unit/%-schema2: $(SCHEMA2_B)/tests/unit/%
	@ln -f $< $@

check-long: deps
	-@deploy/deps.sh $(TEST_PACKAGES)
	@$(SUBMAKE) -s SAN=1 B=$(CHECK_B) test-programs \
	    $(CHECK_B)/tests/fault/crash_images \
	    $(CHECK_B)/tests/fault/bit_flips \
	    $(CHECK_B)/tests/fault/export_mutations \
	    $(SCAN:%=$(CHECK_B)/tests/fault/%) \
	    $(CHECK_B)/tests/fault/libkillat.so
	@$(if $(LONG),JOBS=1 LIMIT=1800 tests/run.sh $(CHECK_B) $(LONG_SH),\
	    echo "no long tests yet")

# KEEP=DIR: leaves the region there and running.
demo: deps
	@$(SUBMAKE) -s all
	@B=$(B) tests/demo.sh $(KEEP)

# MODES="library adapters stored erasure rewrap query verify"; more in tests/bench/bench.sh.
bench: deps
	@$(SUBMAKE) -s all $(BENCH_BIN) $(B)/tests/bench/libsynccount.so \
	    $(B)/tests/support/logfill $(B)/tests/bench/verify
	@B=$(B) tests/bench/bench.sh $(MODES)

# SECONDS=60; what a run finds interesting stays in build/fuzz/corpus, what
# breaks it in build/fuzz/crash-*. Needs clang.
FUZZ_B = build/fuzz
SECONDS = 60
fuzz: deps
	@deploy/deps.sh clang
	@$(SUBMAKE) -s FUZZ=1 CC=clang B=$(FUZZ_B) $(FUZZ_B)/tests/fuzz/fuzz
	@tests/fuzz/seed.sh $(FUZZ_B)/corpus
	@$(FUZZ_B)/tests/fuzz/fuzz -max_total_time=$(SECONDS) -max_len=20000 \
	    -artifact_prefix=$(FUZZ_B)/ $(FUZZ_B)/corpus

$(B)/tests/fuzz/fuzz: $(B)/tests/fuzz/fuzz.o $(COMMON_O) $(BROKER_O) \
    $(B)/proto/audit/bundle.o $(B)/proto/audit/logrecord.o $(LIB_END) $(LIB)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS) -ljansson

lint: deps
	@deploy/deps.sh $(LINT_PACKAGES)
	@tests/lint/run.sh

# Lines of what must hold: what two processes agree on, and the single writer.
COVERAGE_B = build/coverage
coverage: deps
	@deploy/deps.sh $(COVERAGE_PACKAGES)
	@rm -rf $(COVERAGE_B)
	@$(SUBMAKE) -s COVERAGE=1 B=$(COVERAGE_B) test-programs
	@JOBS=$(JOBS) tests/run.sh $(COVERAGE_B) \
	    $(UNIT:%=$(COVERAGE_B)/tests/unit/test_%) $(INTEGRATION_SH); \
	status=$$?; for part in proto broker/core; do \
		gcovr -r . --object-directory $(COVERAGE_B) \
		    --filter "$$part/" --fail-under-line 90 \
		    $(COVERAGE_B) || status=1; \
	done; exit $$status

# ---- install ----------------------------------------------------------------

D = $(DESTDIR)$(PREFIX)
DL = $(DESTDIR)$(LIBDIR)
DAEMONS = $(filter %d,$(PROGRAMS))
HEADERS = $(shell cd include && find kortelijn -name '*.h')

install: all
	install -d $(D)/bin $(D)/sbin $(DL)/pkgconfig
	install -m 755 $(DAEMONS) $(D)/sbin
	install -m 755 $(filter-out $(DAEMONS),$(PROGRAMS)) $(D)/bin
	install -m 644 $(LIB) $(LIB_END) $(SO) $(SO_END) $(DL)
	ln -sf $(notdir $(SO)) $(DL)/libkortelijn.so
	ln -sf $(notdir $(SO_END)) $(DL)/libkortelijn_end.so
	for h in $(HEADERS); do \
		install -D -m 644 include/$$h $(D)/include/$$h || exit 1; \
	done
	for pc in kortelijn kortelijn_end; do \
		sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|' \
		    -e 's|@VERSION@|$(VERSION)|' deploy/$$pc.pc.in \
		    >$(DL)/pkgconfig/$$pc.pc || exit 1; \
	done
	for m in $(wildcard deploy/man/*.[158]); do \
		install -D -m 644 $$m $(D)/share/man/man$${m##*.}/$${m##*/} \
		    || exit 1; \
	done
	install -d $(D)/share/kortelijn/schemas $(D)/share/doc/kortelijn
	install -m 644 deploy/schemas/*.json $(D)/share/kortelijn/schemas
	install -d $(D)/share/doc/kortelijn/examples
	install -m 644 deploy/conf/*.conf $(D)/share/doc/kortelijn/examples
	install -d $(D)/share/doc/kortelijn/privacy
	install -m 644 deploy/privacy/*.md $(D)/share/doc/kortelijn/privacy
	install -m 644 README.md LICENSE CHANGELOG.md proto/PROTOCOL.md \
	    $(D)/share/doc/kortelijn

# ---- the rest ---------------------------------------------------------------

deps:
	@deploy/deps.sh $(PACKAGES)

clean:
	rm -rf build

help:
	@echo 'make              programs and library into build/'
	@echo 'make demo         a closed loop on loopback, step by step; KEEP=DIR'
	@echo 'make bench        loops a second, latencies, cost'
	@echo 'make check        builds with sanitizers, runs the tests'
	@echo 'make check-long   the tests that take minutes: kill -9 and such'
	@echo 'make lint         layers, blindness, compilers, manuals, form'
	@echo 'make fuzz         made-up bytes for all readers (clang); SECONDS=60'
	@echo 'make coverage     lines of proto and broker/core that tests reach'
	@echo 'make install      programs, library, manuals (PREFIX, DESTDIR)'
	@echo 'make deps         installs the missing packages (Debian)'
	@echo 'make clean        removes build/'

.PHONY: FORCE all bench check check-long clean demo coverage deps fuzz help install \
	lint \
	test-programs run-programs
-include $(shell find $(B) -name '*.d' 2>/dev/null)
