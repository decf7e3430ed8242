/*
 * edge_main.h: where the supervisor's program goes on as edge.
 */
#ifndef BROKER_EDGE_EDGE_MAIN_H
#define BROKER_EDGE_EDGE_MAIN_H

struct broker_conf;

enum edge_exit {
	EDGE_EXIT_STOPPED = 0,	/* was asked to */
	EDGE_EXIT_FAILED = 1,
	EDGE_EXIT_CONFIG = 3,	/* its key or endpoint are wrong: an operator
				 * must mend them */
	EDGE_EXIT_RECYCLE = 5,	/* to cut the sessions of a revoked key */
};

/* Runs until SIGTERM and answers an exit status. pipe_fd: see pipe.h;
 * ready_fd: for ready.h; logging and hardening are set up. Borrows all. */
int edge_main(const struct broker_conf *conf, int pipe_fd, int ready_fd);

#endif
