/*
 * kortelijn: the operator's program. A table of commands; each lives in its
 * cmd_*.c.
 */
#include <stdio.h>

#include "broker/ctl/cmd.h"
#include "broker/ctl/log_source.h"
#include "proto/audit/export.h"
#include "proto/audit/query.h"
#include "proto/audit/report.h"
#include "proto/audit/story.h"
#include "proto/audit/checkpoint.h"
#include "proto/audit/prove.h"
#include "proto/audit/trust.h"
#include "proto/audit/verify.h"
#include "proto/cli/output.h"

/* Whose signature counts, where the configuration does not say it. */
#define CTL_TRUST_ARGS " [--card=FILE --authority=DIR]"

static const struct cli_command commands[] = {
	{ "authority init", "DIR --realm=production|training",
	  "make the key of a region's authority",
	  "Makes DIR with authority.key and authority.pub. The key signs the\n"
	  "cards of all participants: keep DIR offline, on two encrypted\n"
	  "sticks, and bring it out to issue or revoke a card. A key that is\n"
	  "there stays as it is. Every adapter pins the fingerprint.",
	  1, 1, { "realm=" }, cmd_authority_init },
	{ "authority fingerprint", "DIR",
	  "print the authority's fingerprint",
	  "DIR holds authority.pub: the authority's directory, the broker's\n"
	  "configuration or an adapter's.",
	  1, 1, { NULL }, cmd_authority_fingerprint },
	{ "broker init", "CONFIG_DIR --id=ID --name=NAME --authority=DIR "
	  "[--endpoint=ADDRESS] [--state=DIR] [--days=N] [--from=DAY]",
	  "make keys, card and configuration of a broker",
	  "Makes curve.key, log.key, recovery.key, authority.pub,\n"
	  "broker.card, cards/, revocations/, policy.conf and a commented\n"
	  "kortelijnd.conf in CONFIG_DIR. Keys, policy and configuration that\n"
	  "are there stay; the card is renewed. Run it as the user that runs\n"
	  "kortelijnd. --endpoint is where it listens, tcp://127.0.0.1:7700\n"
	  "if it is not given.",
	  1, 1, { "id=", "name=", "authority=", "endpoint=", "state=",
	    "days=", "from=" }, cmd_broker_init },
	{ "enrol request", "DIR --id=ID --name=NAME --role=ROLE "
	  "--realm=production|training [--out=FILE]",
	  "make keys and ask for a card",
	  "For who has no adapter: an auditor, or a client of one's own. An\n"
	  "adapter asks with its own 'init'. Makes identity.key and\n"
	  "transport.key in DIR, unless they are there, and writes the\n"
	  "request to --out, or to DIR/request. ROLE is practice,\n"
	  "municipality, partner or auditor. An auditor's keys are sealed\n"
	  "under a passphrase, which is asked for.",
	  1, 1, { "id=", "name=", "role=", "realm=", "out=" },
	  cmd_enrol_request },
	{ "enrol show", "REQUESTFILE",
	  "show who asks for a card",
	  "Verifies the request and prints who asks, and the fingerprint that\n"
	  "the organisation reads over the phone.",
	  1, 1, { NULL }, cmd_enrol_show },
	{ "enrol issue", "REQUESTFILE --authority=DIR [--days=730] "
	  "[--from=DAY] [--out=FILE] [--succeeds=ID] [--reads=ID,...] "
	  "[--reads-all] [--fingerprint=F]",
	  "sign a card for a request",
	  "Asks for the end of the fingerprint, as the organisation reads it\n"
	  "over the phone, unless --fingerprint gives the whole of it. Writes\n"
	  "the card to --out, or to a file named after id and serial.\n"
	  "--succeeds names the organisation that this one takes over from.\n"
	  "--reads and --reads-all are for auditors.",
	  1, 1, { "authority=", "days=", "from=", "out=", "succeeds=",
	    "reads=", "reads-all", "fingerprint=" }, cmd_enrol_issue },
	{ "enrol accept", "CARDFILE [--approval=FILE]",
	  "let the broker take up a card",
	  "Hands the card to the running broker, which takes it up at once,\n"
	  "and keeps it in CONFIG/cards. If the broker does not run, it takes\n"
	  "the card up at its next start. An auditor's card that reads all\n"
	  "reads the records of the organisations that FILE says have agreed,\n"
	  "and of no other; it is kept in CONFIG/approvals.",
	  1, 1, { "approval=" }, cmd_enrol_accept },
	{ "participant list", "",
	  "list the cards that the broker knows",
	  "", 0, 0, { NULL }, cmd_participant_list },
	{ "participant show", "ID",
	  "show what the broker knows of a participant",
	  "", 1, 1, { NULL }, cmd_participant_show },
	{ "participant contact", "ID [PHONE]",
	  "keep whom to call at a participant",
	  "Keeps the number in CONFIG/contacts, for the day on which the\n"
	  "store is lost and 'kortelijn status' says who is missing. Without\n"
	  "PHONE it is taken away.",
	  1, 2, { NULL }, cmd_participant_contact },
	{ "participant revoke", "ID --reason=replaced|left|compromise "
	  "--authority=DIR",
	  "end a participant's cards",
	  "Signs a revocation for every card of ID in CONFIG/cards, keeps it\n"
	  "in CONFIG/revocations and hands it to the running broker, where it\n"
	  "counts from the next request. After 'compromise' nothing that this\n"
	  "participant sent and that still waits is released.",
	  1, 1, { "reason=", "authority=" }, cmd_participant_revoke },
	{ "status", "[--watch]",
	  "say how the running broker fares",
	  "After a loss of the store also: who has reported in and when, who\n"
	  "is missing, their phone number, and how many conversations wait\n"
	  "for them. --watch says it every two seconds, until all have.",
	  0, 0, { "watch" }, cmd_status },
	{ "hold", "",
	  "say whether the clock is trusted to end things",
	  "Held, nothing is erased by time: after a jump of the clock, while\n"
	  "it is behind what it was before, and when much would end at once\n"
	  "and no time server stands behind the clock. Ten minutes with a\n"
	  "time server end a hold; so does 'kortelijn hold release'.",
	  0, 0, { NULL }, cmd_hold },
	{ "hold release", "",
	  "confirm that the broker's clock is right",
	  "Look at the clock first ('kortelijn hold' prints it): what is past\n"
	  "its term by it is erased at once and cannot come back. A leaf in\n"
	  "the log tells that you did.",
	  0, 0, { NULL }, cmd_hold_release },
	{ "rewrap", "",
	  "write the keys of the store anew, now",
	  "The broker does this by itself every night, at rewrap_at. Each\n"
	  "message's key is wrapped under a new master key, slice by slice\n"
	  "while the broker works; the old master key is destroyed, so that\n"
	  "what a disk has kept of erased keys opens no more. Waits until it\n"
	  "is done.",
	  0, 0, { NULL }, cmd_rewrap },
	{ "audit query", AUDIT_QUERY_ARGS " " LOG_SOURCE_ARGS,
	  AUDIT_QUERY_SUMMARY, AUDIT_QUERY_HELP LOG_SOURCE_HELP,
	  0, 0, { AUDIT_QUERY_OPTIONS, LOG_SOURCE_OPTIONS },
	  cmd_audit_query },
	{ "audit story", AUDIT_STORY_ARGS " " LOG_SOURCE_ARGS,
	  AUDIT_STORY_SUMMARY, AUDIT_STORY_HELP LOG_SOURCE_HELP,
	  1, 1, { AUDIT_STORY_OPTIONS, LOG_SOURCE_OPTIONS },
	  cmd_audit_story },
	{ "report audit", AUDIT_REPORT_AUDIT_ARGS, AUDIT_REPORT_AUDIT_SUMMARY,
	  AUDIT_REPORT_AUDIT_HELP, 0, 0, { AUDIT_REPORT_AUDIT_OPTIONS,
	    AUDIT_TRUST_OPTIONS, "card=", "authority=" }, cmd_report_audit },
	{ "report region", AUDIT_REPORT_REGION_ARGS,
	  AUDIT_REPORT_REGION_SUMMARY, AUDIT_REPORT_REGION_HELP, 0, 0,
	  { AUDIT_REPORT_REGION_OPTIONS, AUDIT_TRUST_OPTIONS, "card=",
	    "authority=" }, cmd_report_region },
	{ "origin new", "--reason=TEXT [--checkpoint=FILE] [--yes]",
	  "begin a new log after a loss, or on a standby",
	  "The broker does not start when its store is gone. This lets it\n"
	  "begin with an empty one at its next start; the adapters then\n"
	  "present what is open. The new log names the last checkpoint of\n"
	  "the old one: the newest of log.mark, the log export and FILE, what\n"
	  "'audit checkpoint' printed last. Says what it found, explains\n"
	  "what comes and asks, unless --yes is given. man kortelijnd has the\n"
	  "drill step by step.",
	  0, 0, { "reason=", "checkpoint=", "yes" }, cmd_origin_new },
	{ "policy show", "",
	  "show every rule, its value and its source",
	  "Reads policy.conf in the configuration: key, value, default,\n"
	  "source, whether that source was read, and status of every row;\n"
	  "which are loosened, by whom and until when; whether the running\n"
	  "broker has loaded this file; and each load that it remembers,\n"
	  "with its leaf and what of it was looser.",
	  0, 0, { NULL }, cmd_policy_show },
	{ "policy check", "FILE",
	  "say whether a policy would be taken",
	  "", 1, 1, { NULL }, cmd_policy_check },
	{ "policy diff", "FILE",
	  "show what a policy would change",
	  "Compares with what counts today by policy.conf in the\n"
	  "configuration.",
	  1, 1, { NULL }, cmd_policy_diff },
	{ "policy load", "FILE",
	  "let a policy count from now on",
	  "Checks FILE, hands it to the running broker, where it counts from\n"
	  "the next request and is a leaf of the log, and puts it in place of\n"
	  "policy.conf in the configuration. A value that is looser than the\n"
	  "default needs [override KEY] with legal_basis, approved_by,\n"
	  "approved_on and review_on. Nothing that has begun gets a longer\n"
	  "term by it. Ends drain mode.",
	  1, 1, { NULL }, cmd_policy_load },
	{ "subject erase", "FILE",
	  "end a referral by a party's signed withdrawal",
	  "FILE is what 'withdraw --out=FILE' of the practice or of the\n"
	  "municipality has written. The broker verifies it, ends the consent\n"
	  "as if that adapter had sent it, asks the others to erase, and\n"
	  "answers when its keys are destroyed. The counts: 'erased' waited\n"
	  "and never left, 'released_before' was delivered, 'unconfirmed'\n"
	  "left and has no receipt. Without such a file nothing is erased.",
	  1, 1, { NULL }, cmd_subject_erase },
	{ "export now", "",
	  "write the sealed export of the log now",
	  "The broker writes one every night. This writes what has grown\n"
	  "since and waits for it.",
	  0, 0, { NULL }, cmd_export_now },
	{ "export list", "[DIR] [--card=FILE --authority=DIR]",
	  "list the files of the log export",
	  "DIR, or export_dir of the configuration. Needs no recovery key:\n"
	  "says to which log and how many leaves of it each file leads.\n"
	  "Without a configuration, the broker's card and the authority's\n"
	  "directory say whose signature counts.",
	  0, 1, { "card=", "authority=" }, cmd_export_list },
	{ "export open", "FILE --recovery-key=FILE [--card=FILE "
	  "--authority=DIR]",
	  "verify a file of the log export and print it",
	  "Checks every record against its leaf, and the leaves against the\n"
	  "checkpoint that the broker signed; then prints one line of JSON\n"
	  "for each leaf. Prints nothing of a file that is not right to its\n"
	  "end. Works without a broker and without a network.",
	  1, 1, { "recovery-key=", "card=", "authority=" },
	  cmd_export_open },
	{ "subject export", "REFERENCE [--language=nl|en]",
	  "show all that the broker holds on one referral",
	  "For a request for access (AVG 15). REFERENCE is the spoken one, as\n"
	  "ABCD-EFGH-K, or the 32 digits of the conversation's id. Prints a\n"
	  "page in Dutch, or with --json all of it, also what is signed. A\n"
	  "leaf of the log tells that it was looked at. The broker knows no\n"
	  "person: who the referral is about is known at the practice.",
	  1, 1, { "language=" }, cmd_subject_export },
	{ "erase verify", "MESSAGE|REFERENCE",
	  "show what is left of a message",
	  "MESSAGE is the 32 digits of its id; REFERENCE that of a referral,\n"
	  "for all of its messages. Reads the sector of its key back from the\n"
	  "device, and says until when ids, conversation and records are\n"
	  "kept.",
	  1, 1, { NULL }, cmd_erase_verify },
	{ "audit setup", "DIR --card=FILE --broker-card=FILE "
	  "--authority=FILE|DIR --broker=ADDRESS[,ADDRESS] [--take-over]",
	  "complete an auditor's directory",
	  "DIR is what 'enrol request DIR --role=auditor' has made. Checks\n"
	  "the card, the broker's card and the keys against the region's\n"
	  "authority, pins it, and says what is still missing. What was\n"
	  "given before need not be given again. --broker is where the\n"
	  "broker is, tcp://HOST:7700, and machines that stand in for it.\n"
	  "--take-over makes this directory the one that counts, after\n"
	  "another copy of it was in use.",
	  1, 1, { "card=", "broker-card=", "authority=", "broker=",
	    "take-over" }, cmd_audit_setup },
	{ "audit checkpoint", AUDIT_CHECKPOINT_ARGS CTL_TRUST_ARGS,
	  AUDIT_CHECKPOINT_SUMMARY, AUDIT_CHECKPOINT_HELP,
	  0, 0, { AUDIT_CHECKPOINT_OPTIONS, "card=", "authority=" },
	  cmd_audit_checkpoint },
	{ "audit prove", AUDIT_PROVE_ARGS CTL_TRUST_ARGS,
	  AUDIT_PROVE_SUMMARY, AUDIT_PROVE_HELP,
	  0, 1, { AUDIT_PROVE_OPTIONS, "card=", "authority=" },
	  cmd_audit_prove },
	{ "audit verify", "FILE...|DIR [--vkey=KEY] [--origin=NAME] "
	  "[--witness=KEY|FILE] [--language=nl|en]" CTL_TRUST_ARGS,
	  "say what files of the log prove, offline", AUDIT_VERIFY_HELP,
	  1, CLI_ARGS_MAX, { AUDIT_TRUST_OPTIONS, "language=", "card=",
	    "authority=" }, cmd_audit_verify },
	{ "audit witness", "[FILE] --as=DIR [--out=FILE] [--state=DIR] "
	  "[--vkey]",
	  "sign a checkpoint as a witness",
	  "For an auditor: DIR is its directory. Asks the broker for its\n"
	  "newest checkpoint and the proof that it continues the one that\n"
	  "was signed last, signs it and brings the line back. With FILE, of\n"
	  "'audit prove --from-size=N', it needs no network: carry what it\n"
	  "prints to the broker, 'audit cosign' takes it there. A log that\n"
	  "went back or was rewritten is not signed: both checkpoints are\n"
	  "kept in a file that is named. What was signed last lies in\n"
	  "DIR/witness, or in --state. --vkey prints the public key under\n"
	  "which it signs, and nothing else.",
	  0, 1, { "out=", "state=", "vkey" }, cmd_audit_witness },
	{ "audit cosign", "FILE",
	  "take up a checkpoint that a witness has signed",
	  "FILE is what 'audit witness' has written. The broker verifies it\n"
	  "and keeps the newest line of each witness: 'audit checkpoint\n"
	  "--witnessed' prints it, 'kortelijn status' says how far behind\n"
	  "it is.",
	  1, 1, { NULL }, cmd_audit_cosign },
	{ "audit export", AUDIT_EXPORT_ARGS,
	  AUDIT_EXPORT_SUMMARY,
	  AUDIT_EXPORT_HELP,
	  1, 1, { AUDIT_EXPORT_OPTIONS, "card=", "authority=" },
	  cmd_audit_export },
	{ "help", "[COMMAND]",
	  "explain a command, or list all",
	  "", 0, 2, { NULL }, cli_help },
};

static const char *const options[] = {
	"socket=", "as=", "passphrase-file=", NULL,
};

int
ctl_conf(const struct cli *c, struct broker_conf *out)
{
	struct kl_conf_error error = { "" };

	if (broker_conf_read(c->conf_path, out, &error) == KL_OK)
		return CLI_OK;
	return output_fail(c, CLI_FILE, "%s", error.b);
}

int
ctl_socket(const struct cli *c, char path[BROKER_CONTROL_BYTES])
{
	const char *given = cli_option(c, "socket");
	struct broker_conf conf;
	int n, r;

	if (cli_option(c, "as") != NULL)
		return output_fail(c, CLI_USAGE, "%s asks the broker on this "
		    "machine: --as is for the commands of audit and report",
		    c->command->name);
	if (given == NULL && (r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	n = snprintf(path, BROKER_CONTROL_BYTES, "%s",
	    given != NULL ? given : conf.control);
	if (n >= BROKER_CONTROL_BYTES)
		return output_fail(c, CLI_USAGE, "--socket is too long");
	return CLI_OK;
}

int
main(int argc, char **argv)
{
	const struct cli_table table = {
		commands, sizeof commands / sizeof commands[0],
	};
	const struct cli_program p = {
		.name = "kortelijn", .conf_default = CTL_CONF_DEFAULT,
		.tables = &table, .n = 1,
		.options = options,
		.help = "  --socket=PATH   control socket, instead of the one "
		    "in FILE\n"
		    "  --as=DIR        ask over the network, as the auditor "
		    "of DIR\n"
		    "  --passphrase-file=FILE\n"
		    "                  that of an auditor's keys, instead of "
		    "asking for it\n",
		.daemon = "the broker",
	};

	return cli_main(&p, argc, argv);
}
