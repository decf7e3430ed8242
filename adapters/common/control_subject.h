/*
 * control_subject.h: what a resident may ask, over the control socket: find,
 * export, log, erase.
 */
#ifndef ADAPTERS_COMMON_CONTROL_SUBJECT_H
#define ADAPTERS_COMMON_CONTROL_SUBJECT_H

#include "adapters/common/control_cmd.h"

/* As control_cmd_run. "who" is a reference or a number of the practice;
 * "name" and "birth_date" go together. */
int control_subject_find(struct control_cmd *c) KL_MUST_CHECK;
/* "all": several that fit are meant. */
int control_subject_export(struct control_cmd *c) KL_MUST_CHECK;
int control_subject_log(struct control_cmd *c) KL_MUST_CHECK;
/* "numbers": those of the cases, as find gave them. */
int control_subject_erase(struct control_cmd *c) KL_MUST_CHECK;

#endif
