/* Certificates for tests of TLS, in a folder that goes with the process. */
#pragma once

/* The path of a file there: "ca.pem", "first.pem" and "first.key", "second.pem" and "second.key" (both of that CA, for
 * "localhost" and 127.0.0.1), "pair.pem" and "pair.key", which certificates_use replaces. Kept for the process. */
const char *certificates_path(const char *name);
/* Makes "pair" a copy of that one. */
void certificates_use(const char *name);
/* As certificates_use, but the key is another's. */
void certificates_use_half(const char *name);
