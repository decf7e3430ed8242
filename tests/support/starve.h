/*
 * starve.h: runs a function while no guarded memory can be had.
 */
#ifndef TESTS_SUPPORT_STARVE_H
#define TESTS_SUPPORT_STARVE_H

/* Answers what fn(arg) answered. */
int starve_run(int (*fn)(void *), void *arg);

#endif
