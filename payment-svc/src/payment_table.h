/* The table state × input as the README shows it. */
#ifndef PAYMENT_TABLE_H
#define PAYMENT_TABLE_H

/* Markdown: one line a state, what each input does to it; inputs that are ignored are left out. */
void payment_table_print(void (*write)(void *context, const char *text), void *context);

#endif
