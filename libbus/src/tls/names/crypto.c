/* libcrypto.so for civetweb: all of OpenSSL 3's libcrypto, and nothing of its own. */
typedef int orderbus_names_libcrypto; /* ISO C forbids an empty file */
