#include "adapters/common/commands.h"

#include "adapters/common/cmd.h"
#include "adapters/common/cmd_audit.h"
#include "adapters/common/cmd_backup.h"
#include "adapters/common/cmd_subject.h"
#include "proto/audit/checkpoint.h"
#include "proto/audit/export.h"
#include "proto/audit/prove.h"
#include "proto/audit/query.h"
#include "proto/audit/story.h"
#include "proto/audit/verify.h"

static const struct cli_command start[] = {
	{ "init", "[--out=FILE] [--recovery-out=FILE]",
	  "make keys and a request for a card",
	  "Makes what is missing in key_dir, and policy.conf, and prints the\n"
	  "fingerprint, which the operator compares over the phone. The\n"
	  "request goes to FILE, or to 'request' in key_dir. What is there\n"
	  "stays. Prints, once, the recovery key of the backups, or writes it\n"
	  "into the FILE of --recovery-out: keep it on paper, off this\n"
	  "machine.",
	  0, 0, { "out=", "recovery-out=" }, cmd_init },
	{ "accept", "--card=FILE --authority=FILE --broker=FILE",
	  "take up the card that came back",
	  "Verifies this organisation's card and the broker's card and keeps\n"
	  "them, with the authority's key, in key_dir.",
	  0, 0, { "card=", "authority=", "broker=" }, cmd_accept },
	{ "status", "[--wait=SECONDS]",
	  "say how the adapter fares",
	  "With --wait it ends with 0 as soon as the broker serves the\n"
	  "adapter, and with 1 when the seconds are over.",
	  0, 0, { "wait=" }, cmd_status },
};

static const struct cli_command rest[] = {
	{ "rewrap", "",
	  "write the keys of the store anew, now",
	  "The adapter does this by itself every night, at rewrap_at: every\n"
	  "key is wrapped under a new master key and the old one destroyed,\n"
	  "so that what a disk has kept of erased keys opens no more. Waits\n"
	  "until it is done.",
	  0, 0, { NULL }, cmd_rewrap },
	{ "policy show", "",
	  "show every rule, its value and its source",
	  "Key, value, default, source, whether that source was read, and\n"
	  "status of every rule of policy.conf; which are loosened, by whom\n"
	  "and until when; and whether the running adapter has loaded it.",
	  0, 0, { NULL }, cmd_policy_show },
	{ "policy check", "FILE",
	  "say whether a policy would be taken",
	  "", 1, 1, { NULL }, cmd_policy_check },
	{ "policy diff", "FILE",
	  "show what a policy would change",
	  "", 1, 1, { NULL }, cmd_policy_diff },
	{ "policy load", "FILE",
	  "let a policy count from now on",
	  "Checks FILE, hands it to the running adapter and puts it in place\n"
	  "of policy.conf. A value that is looser than the default needs\n"
	  "[override KEY] with legal_basis, approved_by, approved_on and\n"
	  "review_on. Without a policy the adapter sends nothing.",
	  1, 1, { NULL }, cmd_policy_load },
	{ "alarms", "[--seen=NUMBER] [--all] "
	  "[--evidence=NUMBER [--out=FILE]]",
	  "list what asks for somebody",
	  "Shows the alarms that are open, and what is new since the last\n"
	  "--seen, with what to do and whom to phone. --seen=NUMBER says that\n"
	  "everything up to that number was seen; --all shows all.\n"
	  "--evidence prints what proves an alarm about the broker's log to\n"
	  "others: the two checkpoints, as the broker signed them.",
	  0, 0, { "seen=", "all", "evidence=", "out=" }, cmd_alarms },
	{ "hold", "[release]",
	  "say why nothing is erased, or that the clock is right",
	  "After a jump of the clock nothing is erased until a time server or\n"
	  "'hold release' confirms it. Look at the clock first.",
	  0, 1, { NULL }, cmd_hold },
	{ "subject export", "WHO | --name=NAME --birth-date=DATE [--all]",
	  "print all that is here of a person",
	  "A letter with content, consent, messages, receipts and who looked;\n"
	  "--html=FILE writes it as a page, --json gives it to a program. If\n"
	  "several referrals fit a name, they are listed and nothing is\n"
	  "printed, unless --all says that they are of this person.",
	  0, 1, { "name=", "birth-date=", "all", "html=" },
	  cmd_subject_export },
	{ "subject log", "WHO | --name=NAME --birth-date=DATE [--since=DATE]",
	  "print who looked at a person's data",
	  "Answers for the term of log_retention, also when the referral is\n"
	  "erased. --all, --html and --json as of 'subject export'.",
	  0, 1, { "name=", "birth-date=", "all", "since=", "html=" },
	  cmd_subject_log },
	{ "subject erase", "WHO | --name=NAME --birth-date=DATE [--yes]",
	  "erase what is here of a person",
	  "Says what will happen and asks, unless --yes is given; prints the\n"
	  "confirmation. The log of who looked stays for its term. --all,\n"
	  "--html and --json as of 'subject export'.",
	  0, 1, { "name=", "birth-date=", "all", "yes", "html=" },
	  cmd_subject_erase },
	{ "audit query", AUDIT_QUERY_ARGS_WITH("actor-role"),
	  AUDIT_QUERY_SUMMARY,
	  AUDIT_QUERY_HELP "\nThe records of this organisation only.",
	  0, 0, { AUDIT_QUERY_OPTIONS, "actor-role=" }, cmd_audit_query },
	{ "audit story", AUDIT_STORY_ARGS,
	  AUDIT_STORY_SUMMARY,
	  AUDIT_STORY_HELP "\nTells who looked at it in this organisation, "
	  "too.",
	  1, 1, { AUDIT_STORY_OPTIONS }, cmd_audit_story },
	{ "audit checkpoint", AUDIT_CHECKPOINT_ARGS,
	  AUDIT_CHECKPOINT_SUMMARY, AUDIT_CHECKPOINT_HELP,
	  0, 0, { AUDIT_CHECKPOINT_OPTIONS }, cmd_audit_checkpoint },
	{ "audit prove", AUDIT_PROVE_ARGS,
	  AUDIT_PROVE_SUMMARY, AUDIT_PROVE_HELP,
	  0, 1, { AUDIT_PROVE_OPTIONS }, cmd_audit_prove },
	{ "audit export", AUDIT_EXPORT_ARGS, AUDIT_EXPORT_SUMMARY,
	  AUDIT_EXPORT_HELP "\nThe records of this organisation only.",
	  1, 1, { AUDIT_EXPORT_OPTIONS }, cmd_audit_export },
	{ "audit verify", "FILE...",
	  "say what files of the log prove", AUDIT_VERIFY_HELP,
	  1, CLI_ARGS_MAX, { AUDIT_TRUST_OPTIONS, "language=" },
	  cmd_audit_verify },
	{ "backup now", "",
	  "make a backup, now",
	  "The adapter does this by itself every night, at backup_at, into\n"
	  "backup_dir, and removes what is older than 7 days. Waits until it\n"
	  "is made.",
	  0, 0, { NULL }, cmd_backup_now },
	{ "backup key", "[--recovery-out=FILE]",
	  "make a new key for backups",
	  "Prints it, this once: write it down and keep it off this machine.\n"
	  "With --recovery-out it goes into FILE. Backups of before open with\n"
	  "the former key only.",
	  0, 0, { "recovery-out=" }, cmd_backup_key },
	{ "backup list", "",
	  "list the backups that there are",
	  "", 0, 0, { NULL }, cmd_backup_list },
	{ "backup verify", "FILE [--recovery-key=FILE|-]",
	  "say whether a backup is whole",
	  "Without the key: that nothing of it is cut off or has rotted.\n"
	  "With it, which '-' reads from standard input: that it opens, to\n"
	  "its end.",
	  1, 1, { "recovery-key=" }, cmd_backup_verify },
	{ "restore", "FILE [--recovery-key=FILE|-] [--yes]",
	  "put a backup back, on an empty machine",
	  "Puts keys and papers in key_dir and the store in data_dir, which\n"
	  "must hold none yet, while the adapter does not run. Asks for the\n"
	  "recovery key, or reads it from a file or, with '-', from standard\n"
	  "input. Then 'run' and 'take-over'.",
	  1, 1, { "recovery-key=", "yes" }, cmd_restore },
	{ "help", "[COMMAND]",
	  "explain a command, or list all",
	  "", 0, 2, { NULL }, cli_help },
};

/* Of every command: who asks, for the access log. */
static const char *const options[] = { "staff=", "role=", NULL };

int
commands_main(const char *name, const char *conf_default,
    struct cli_table own, int argc, char **argv)
{
	const struct cli_table tables[] = {
		{ start, sizeof start / sizeof start[0] },
		own,
		{ rest, sizeof rest / sizeof rest[0] },
	};
	const struct cli_program p = {
		.name = name,
		.conf_default = conf_default,
		.tables = tables,
		.n = sizeof tables / sizeof tables[0],
		.options = options,
		.help = "  --staff=NAME    who asks, for the access log\n"
		    "  --role=ROLE     and as what: gp, desk, fg and others\n",
		.daemon = "the adapter",
	};

	return cli_main(&p, argc, argv);
}
