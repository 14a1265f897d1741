/* The options of the command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "program.h"

enum options_end { OPTIONS_TAKEN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

void options_set_defaults(struct program *program);
/* Words that are no options begin at argv[optind] afterwards. OPTIONS_WRONG: stderr says why. */
enum options_end options_take(struct program *program, int argc, char **argv);

#endif
