/* Signatures by OpenSSL: ES256 as r and s side by side (RFC 7518), which OpenSSL wants as DER; RS256; PS256 with a salt
 * as long as the hash. */
#include "internal.h"

#include <bus/hash.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum { DER_MAX = 80 };

/* The DER form; 0 when out of memory. */
static int der_of(const uint8_t raw[ES256_SIGNATURE], uint8_t der[DER_MAX]) {
  BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
  ECDSA_SIG *signature = ECDSA_SIG_new();
  if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return 0;
  }
  uint8_t *at = der;
  int len = i2d_ECDSA_SIG(signature, NULL);
  len = len > 0 && len <= DER_MAX ? i2d_ECDSA_SIG(signature, &at) : 0;
  ECDSA_SIG_free(signature);
  return len > 0 ? len : 0;
}

/* OpenSSL looks an algorithm up by its name at each beginning, which costs more than the check of an ES256 signature:
 * so a key has one context that has begun. */
static bool begin(EVP_PKEY_CTX *context, enum bus_token_alg alg) {
  int padding = alg == BUS_TOKEN_PS256 ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  if (EVP_PKEY_verify_init(context) != 1)
    return false;
  if (alg == BUS_TOKEN_ES256)
    return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
         (alg != BUS_TOKEN_PS256 || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

EVP_PKEY_CTX *token_signature_prepare(EVP_PKEY *key, enum bus_token_alg alg) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  if (context && begin(context, alg))
    return context;
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return NULL;
}

bool token_signature_holds(const struct token_key *key, struct bus_str input, const uint8_t *signature, size_t len) {
  uint8_t der[DER_MAX], digest[32];
  if (key->alg == BUS_TOKEN_ES256) {
    if (len != ES256_SIGNATURE)
      return false;
    len = (size_t)der_of(signature, der);
    signature = der;
  }
  bus_sha256(input, digest);
  EVP_PKEY_CTX *context = len > 0 ? EVP_PKEY_CTX_dup(key->check) : NULL;
  bool holds = context && EVP_PKEY_verify(context, signature, len, digest, sizeof digest) == 1;
  EVP_PKEY_CTX_free(context);
  if (!holds)
    ERR_clear_error(); /* the queue is the thread's: libcurl and others read it */
  return holds;
}

static bool raw_of(const uint8_t *der, size_t len, uint8_t raw[ES256_SIGNATURE]) {
  const uint8_t *at = der;
  ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
  bool read = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
  ECDSA_SIG_free(signature);
  return read;
}

bool token_signature_make(EVP_PKEY *key, struct bus_str input, uint8_t signature[ES256_SIGNATURE]) {
  uint8_t der[DER_MAX];
  size_t len = sizeof der;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool made = context && EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
              EVP_DigestSign(context, der, &len, (const uint8_t *)input.data, input.len) == 1 &&
              raw_of(der, len, signature);
  EVP_MD_CTX_free(context);
  if (!made)
    ERR_clear_error();
  return made;
}
