/*
 * core_main.h: where the supervisor's program goes on as core.
 */
#ifndef BROKER_CORE_CORE_MAIN_H
#define BROKER_CORE_CORE_MAIN_H

struct broker_conf;

/* What core ends with; anything else is taken for a crash. */
enum core_exit {
	CORE_EXIT_STOPPED = 0,	/* was asked to */
	CORE_EXIT_OPERATOR = 3,	/* the log is behind or the store is lost */
	CORE_EXIT_COMMIT = 4,	/* a commit failed, or damage was found */
};

/* Runs until SIGTERM and answers an exit status. pipe_fd: see pipe.h,
 * non-blocking; ready_fd: for ready.h, non-blocking. Logging and hardening are
 * set up; state_dir is there and locked for this process. Borrows all. */
int core_main(const struct broker_conf *conf, int pipe_fd, int ready_fd);

#endif
