/*
 * starve.h: runs a function in a process that gets no page of memory more.
 */
#ifndef TESTS_SUPPORT_STARVE_H
#define TESTS_SUPPORT_STARVE_H

/* Answers what fn(arg) answered, which lies in [-100, 0]. */
int starve_run(int (*fn)(void *), void *arg);

#endif
