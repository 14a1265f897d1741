/* libssl.so for civetweb: all of OpenSSL 3's libssl, and a function that civetweb 1.15 asks for by the name that it had
 * before OpenSSL 3. Without OpenSSL's header, which has a macro of that name. */
struct ssl_st;
struct x509_st;

struct x509_st *SSL_get1_peer_certificate(const struct ssl_st *ssl);
struct x509_st *SSL_get_peer_certificate(const struct ssl_st *ssl);

struct x509_st *SSL_get_peer_certificate(const struct ssl_st *ssl) {
  return SSL_get1_peer_certificate(ssl);
}
