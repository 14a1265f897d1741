/* The variables of orderctl. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "story_read.h"

/* From the environment, or from the file (NULL: none). -1: go on; else the status to exit with, and stderr says why. */
int settings_read(const char *env_file, struct story_settings *ret, const char **ret_audit_file);
/* Writes their table for --help. */
void settings_print(void);
void settings_done(void);

#endif
