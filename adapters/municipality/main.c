/*
 * kortelijn-municipality: the adapter of a municipality's desk or of a
 * partner, and its commands.
 */
#include "adapters/common/cmd.h"
#include "adapters/common/cmd_subject.h"
#include "adapters/common/commands.h"
#include "adapters/municipality/folder.h"

static int
run(struct cli *c)
{
	const struct folder_role role = folder_role_municipality();

	return cmd_run(c, &role);
}

static const struct cli_command commands[] = {
	{ "run", "",
	  "run the adapter",
	  "Runs in the foreground until SIGTERM; logs to standard error.",
	  0, 0, { NULL }, run },
	{ "withdraw", "REFERENCE [--scope=all|feedback] [--wait=SECONDS] "
	  "[--out=FILE] [--print=FILE]",
	  "withdraw the consent of a referral, for the resident",
	  "As at the practice: without --scope all of it, with 'feedback'\n"
	  "only what is told back. The practice hears that it was withdrawn,\n"
	  "and no reason. Ends when it is safe on disk; with --wait when the\n"
	  "broker has answered. --print writes the page for the resident, as\n"
	  "text, or HTML if FILE ends in .html; alone with a REFERENCE that\n"
	  "was withdrawn it writes the page again. --out writes the signed\n"
	  "withdrawal, which the broker's operator can hand in with\n"
	  "'kortelijn subject erase'.",
	  1, 1, { "scope=", "wait=", "out=", "print=" }, cmd_withdraw },
	{ "erased", "REFERENCE --case-system=erased|kept|nothing",
	  "answer a request to erase",
	  "When a consent is withdrawn this adapter erases its own copy;\n"
	  "what became of the referral in the case system only you can say:\n"
	  "erased, kept on a basis of your own (the resident applied, say),\n"
	  "or nothing of it was there. The signed receipt goes to the broker\n"
	  "and to who withdrew. 'show' has the date by which the answer is\n"
	  "due. After a referral in error nothing may be kept.",
	  1, 1, { "case-system=" }, cmd_erased },
	{ "list", "",
	  "list the referrals that came",
	  "A mark stands for a crisis (!), an erasure that waits for your\n"
	  "answer (?), a person whom nobody may contact (X).",
	  0, 0, { NULL }, cmd_list },
	{ "show", "REFERENCE",
	  "show one referral with its history",
	  "REFERENCE is the spoken reference, in any case and with or without\n"
	  "dashes. Who looks is written into the access log.",
	  1, 1, { NULL }, cmd_show },
	{ "feedback", "REFERENCE CODE [--category=C] [--ground=G] "
	  "[--wanted=FIELD] [--date=YYYY-MM-DD] | FILE|-",
	  "report back to the practice",
	  "CODE is a state of feedback.schema.json, such as taken_up,\n"
	  "contact_made, intake_started, not_reached or completed, that may\n"
	  "follow the one before. What the resident did not agree to tell\n"
	  "stays here. FILE is JSON as the schema describes it, '-' standard\n"
	  "input.\n"
	  "referred_on and referred_on_keeping_lead need --category;\n"
	  "not_taken_on needs --ground; contact_details_wanted needs --wanted.",
	  1, 2, { "category=", "ground=", "wanted=", "date=" },
	  cmd_feedback },
	{ "attempt", "REFERENCE --kind=KIND --part-of-day=PART "
	  "[--date=YYYY-MM-DD]",
	  "note an attempt to reach the resident",
	  "KIND is phone, sms, email, letter or via_practice, as far as the\n"
	  "referral gives it; PART is morning, afternoon or evening. Attempts\n"
	  "stay here. not_reached can be told after as many of them as the\n"
	  "policy asks, at several parts of the day and in several ways.",
	  1, 1, { "kind=", "part-of-day=", "date=" }, cmd_attempt },
	{ "handed-over", "REFERENCE",
	  "say that the case system has the referral",
	  "What is kept here of its content is erased 30 days later, but not\n"
	  "while the referral is open.",
	  1, 1, { NULL }, cmd_handed_over },
	{ "profile", "[FILE|ID]",
	  "tell practices what help to expect",
	  "FILE is JSON as profile.schema.json describes it: it is signed and\n"
	  "published. Without it the desk's own profile is shown, with ID\n"
	  "that of another desk.",
	  0, 1, { NULL }, cmd_profile },
	{ "subject find", "WHO | --name=NAME --birth-date=DATE",
	  "list the referrals of a person",
	  "WHO is the spoken reference. NAME is the family name: case,\n"
	  "accents and words such as 'van' do not count. DATE is YYYY-MM-DD.\n"
	  "--html=FILE writes a page for the person.",
	  0, 1, { "name=", "birth-date=", "html=" }, cmd_subject_find },
	{ "take-over", "[--yes]",
	  "go on here with a card that ran elsewhere",
	  "After a move to another machine, or from a copy, or when the store\n"
	  "was lost: put data_dir aside, 'run', and take over. The other one\n"
	  "is refused from then on. Open referrals that this one has not are\n"
	  "asked of their senders again.",
	  0, 0, { "yes" }, cmd_take_over },
};

int
main(int argc, char **argv)
{
	const struct cli_table own = {
		commands, sizeof commands / sizeof commands[0],
	};

	return commands_main("kortelijn-municipality",
	    "/etc/kortelijn/municipality.conf", own, argc, argv);
}
