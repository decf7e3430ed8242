/*
 * kortelijn-practice: the adapter of a general practice, and its commands.
 */
#include "adapters/common/cmd.h"
#include "adapters/common/cmd_subject.h"
#include "adapters/common/commands.h"
#include "adapters/practice/folder.h"

static int
run(struct cli *c)
{
	const struct folder_role role = folder_role_practice();

	return cmd_run(c, &role);
}

static const struct cli_command commands[] = {
	{ "run", "",
	  "run the adapter",
	  "Runs in the foreground until SIGTERM; logs to standard error.",
	  0, 0, { NULL }, run },
	{ "refer", "FILE|- [--wait=SECONDS]",
	  "send a referral",
	  "FILE is JSON as referral.schema.json describes it, '-' is standard\n"
	  "input. Ends when the referral is safe on disk; with --wait when\n"
	  "the broker has accepted it. What may not be sent is refused with\n"
	  "code, place and reason, and nothing of it is kept.",
	  1, 1, { "wait=" }, cmd_refer },
	{ "correct", "FILE|-",
	  "replace the content of an open referral",
	  "FILE is JSON as correction.schema.json describes it: the whole\n"
	  "content again, with the mistake put right.",
	  1, 1, { NULL }, cmd_correct },
	{ "withdraw", "REFERENCE [--scope=all|feedback] "
	  "[--cause=resident|sent-in-error] [--wait=SECONDS] [--out=FILE] "
	  "[--print=FILE]",
	  "withdraw the consent of a referral",
	  "Without --scope all of it: nothing is sent under it any more, what\n"
	  "waits is erased, and who has it is asked to erase. 'feedback' ends\n"
	  "only what is told back; the help goes on. sent-in-error is for a\n"
	  "wrong patient: the desk is told to contact nobody.\n"
	  "Ends when it is safe on disk; with --wait when the broker has\n"
	  "answered, with its counts. --print writes the page for the patient\n"
	  "(after sent-in-error: the note for your own assessment of a data\n"
	  "breach) as text, or HTML if FILE ends in .html, and waits up to 60\n"
	  "seconds for the counts; alone with a REFERENCE that was withdrawn\n"
	  "it writes the page again. --out writes the signed withdrawal,\n"
	  "which the broker's operator can hand in with\n"
	  "'kortelijn subject erase'.",
	  1, 1, { "scope=", "cause=", "wait=", "out=", "print=" },
	  cmd_withdraw },
	{ "list", "",
	  "list the referrals",
	  "", 0, 0, { NULL }, cmd_list },
	{ "show", "REFERENCE",
	  "show one referral, step by step",
	  "REFERENCE is the spoken reference, in any case and with or without\n"
	  "dashes, or the referral_id of the file.",
	  1, 1, { NULL }, cmd_show },
	{ "profile", "[ID]",
	  "say what help to expect of a desk",
	  "What the desk ID tells about itself; without ID a list of desks.",
	  0, 1, { NULL }, cmd_profile },
	{ "subject find", "WHO | --name=NAME --birth-date=DATE",
	  "list the referrals of a person",
	  "WHO is the practice's own number of the patient, the spoken\n"
	  "reference or the referral_id. NAME is the family name: case,\n"
	  "accents and words such as 'van' do not count. DATE is YYYY-MM-DD.\n"
	  "--html=FILE writes a page for the person.",
	  0, 1, { "name=", "birth-date=", "html=" }, cmd_subject_find },
	{ "take-over", "[--yes]",
	  "go on here with a card that ran elsewhere",
	  "After a move to another machine, or from a copy, or when the store\n"
	  "was lost: put data_dir aside, 'run', and take over. The other one\n"
	  "is refused from then on. Feedback that it had and this one has not\n"
	  "is sent again; what only the lost store held (your own ids, what\n"
	  "the broker had not accepted yet) is gone: look in your own system.",
	  0, 0, { "yes" }, cmd_take_over },
};

int
main(int argc, char **argv)
{
	const struct cli_table own = {
		commands, sizeof commands / sizeof commands[0],
	};

	return commands_main("kortelijn-practice",
	    "/etc/kortelijn/practice.conf", own, argc, argv);
}
