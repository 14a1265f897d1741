/* How malloc keeps and returns memory in every program. Private to libbus. */
#pragma once

/* Before any thread starts. */
void process_bound_memory(void);
/* Gives the kernel back what lies free, if that is much. Any thread may call it at any time. */
void process_return_memory(void);
