/* Keys of OpenSSL from their numbers, and back. */
#include "internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

static EVP_PKEY *key_of(const char *kind, OSSL_PARAM *params) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
  EVP_PKEY *key = NULL;
  if (context && params && EVP_PKEY_fromdata_init(context) == 1 &&
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    key = NULL;
  EVP_PKEY_CTX_free(context);
  return key;
}

/* A point that is not on the curve gives no key. */
EVP_PKEY *token_key_of_point(const uint8_t point[P256_POINT]) {
  char group[] = "prime256v1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, P256_POINT),
      OSSL_PARAM_construct_end(),
  };
  return key_of("EC", params);
}

EVP_PKEY *token_key_of_rsa(const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len) {
  BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL), *exponent = BN_bin2bn(e, (int)e_len, NULL);
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  OSSL_PARAM *params = NULL;
  if (build && modulus && exponent && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
    params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY *key = key_of("RSA", params);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  BN_free(modulus);
  BN_free(exponent);
  return key;
}

bool token_point_of(EVP_PKEY *key, uint8_t point[P256_POINT]) {
  char group[32] = "";
  size_t len = 0;
  BIGNUM *x = NULL, *y = NULL;
  bool found = EVP_PKEY_is_a(key, "EC") &&
               EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &len) == 1 &&
               strcmp(group, "prime256v1") == 0 && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
               EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 && BN_bn2binpad(x, point + 1, 32) == 32 &&
               BN_bn2binpad(y, point + 33, 32) == 32;
  point[0] = 4;
  BN_free(x);
  BN_free(y);
  return found;
}
