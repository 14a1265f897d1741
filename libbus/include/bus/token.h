/*
 * Bearer tokens: JSON web tokens (RFC 7519) with one signature, read as strictly as RFC 8725 advises, and signed with
 * ES256. It is in target bus_token, so that only programs with tokens link libcrypto. Time is an argument. All of it is
 * reentrant; keys may be used by several threads at once.
 *
 *   verify   bus_token_verifier_new, bus_token_verifier_set_keys, bus_token_verifier_check
 *   sign     bus_token_signer_new, bus_token_sign, bus_token_signer_jwk
 *
 * A token is accepted only if it has at most BUS_TOKEN_MAX bytes in exactly three parts of base64url without padding;
 * header and claims are JSON objects without repeated members; `kid` is 1 to 64 of [A-Za-z0-9_-] and names a key of the
 * issuer in memory; `alg` is the algorithm of that key; `crit` is absent; `typ` is absent, JWT or at+jwt; `iss` is the
 * issuer exactly, `aud` its audience exactly or a list with it; `iat` and `exp` are integers, the token has begun and
 * not ended, and is no older between them than the issuer's max_age; `sub` is 1 to 128 of [A-Za-z0-9._:-]. The members
 * jku, jwk, x5u and x5c are not looked at.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/jwk.h>

BUS_C_BEGIN

enum {
  BUS_TOKEN_MAX = 4096,
  BUS_TOKEN_KID_MAX = 64,
  BUS_TOKEN_SUB_MAX = 128,
  BUS_TOKEN_SCOPE_MAX = 512,
  BUS_TOKEN_ISS_MAX = 255,
};

/* Clocks of issuers may differ from ours by that much. */
#define BUS_TOKEN_LEEWAY (60 * BUS_SECOND)

/* As bits: an issuer may have several. */
enum bus_token_alg { BUS_TOKEN_ES256 = 1, BUS_TOKEN_RS256 = 2, BUS_TOKEN_PS256 = 4 };
#define BUS_TOKEN_ALL_ALGS (BUS_TOKEN_ES256 | BUS_TOKEN_RS256 | BUS_TOKEN_PS256)

/* In rising order of rights. */
enum bus_token_role { BUS_ROLE_CUSTOMER, BUS_ROLE_OPERATOR, BUS_ROLE_ADMIN };
extern const char *const bus_token_role_names[]; /* "customer", "operator", "admin", NULL */

struct bus_token_claims {
  char sub[BUS_TOKEN_SUB_MAX + 1];
  enum bus_token_role role;            /* customer where the token has none */
  char scope[BUS_TOKEN_SCOPE_MAX + 1]; /* names with one space between them; "": none */
  char kid[BUS_TOKEN_KID_MAX + 1];     /* not used by bus_token_sign: the signer has its own */
  char iss[BUS_TOKEN_ISS_MAX + 1];
  bus_time iat, exp; /* whole seconds */
};

/* Is that name in the token's scope? */
bool bus_token_has_scope(const struct bus_token_claims *claims, const char *name);

/* ---- verdicts ---- */

/* The text is for `error_description` (RFC 6750): it holds nothing of the token. */
#define BUS_TOKEN_VERDICT_MAP(X)                                                                                       \
  X(OK, "the token is valid")                                                                                          \
  X(MALFORMED, "the token is malformed")                                                                               \
  X(HEADER, "the token's header has an unknown algorithm, type, key id or critical member")                            \
  X(CLAIMS, "the token's claims are malformed or incomplete")                                                          \
  X(ISSUER, "the token is of another issuer")                                                                          \
  X(AUDIENCE, "the token is for another audience")                                                                     \
  X(KIND, "the token is no access token")                                                                              \
  X(EXPIRED, "the token has expired")                                                                                  \
  X(EARLY, "the token is not valid yet")                                                                               \
  X(AGE, "the token is valid for longer than allowed")                                                                 \
  X(KEY, "the token's key is unknown")                                                                                 \
  X(SIGNATURE, "the token's signature is wrong")                                                                       \
  X(NO_MEMORY, "out of memory checking the token")

enum bus_token_verdict {
#define BUS_TOKEN_VERDICT_ENUM(name, text) BUS_TOKEN_##name,
  BUS_TOKEN_VERDICT_MAP(BUS_TOKEN_VERDICT_ENUM)
#undef BUS_TOKEN_VERDICT_ENUM
};
/* Static text for a client, by the list above. */
const char *bus_token_verdict_text(enum bus_token_verdict verdict);

/* ---- keys ---- */

struct bus_token_keys; /* a parsed key set; does not change */

/* Keys that no algorithm of `algs` can use (another kty, curve or use, RSA below 2048 or above 8192 bits, a kid that no
 * token may name) are skipped. False: two usable keys have the same kid, none is usable, or out of memory. An RSA key
 * without alg is for RS256. */
bool bus_token_keys_new(const struct bus_jwks *jwks, unsigned algs, struct bus_token_keys **ret,
                        struct bus_error *err) BUS_MUST_CHECK;
/* The same from the text of a JWKS document; the arena is for the work between. */
bool bus_token_keys_parse(struct bus_str json, unsigned algs, struct bus_arena *arena, struct bus_token_keys **ret,
                          struct bus_error *err) BUS_MUST_CHECK;
void bus_token_keys_free(struct bus_token_keys *keys); /* accepts NULL */
/* Usable keys of the set. */
size_t bus_token_keys_count(const struct bus_token_keys *keys);

/* ---- one check, without state ---- */

/* The texts belong to the caller and live as long as what uses them. */
struct bus_token_issuer {
  const char *iss; /* exact, 1 to 255 visible characters without " and \ */
  const char *aud; /* the same */
  unsigned algs;   /* of enum bus_token_alg */
  bus_time max_age;
  bool strict_typ;                   /* the header's typ must be at+jwt (RFC 9068) */
  const struct bus_token_keys *keys; /* NULL: none yet */
};

/* The issuer whose name the token has decides. ret is written on BUS_TOKEN_OK alone. */
enum bus_token_verdict bus_token_check(const struct bus_token_issuer *issuers, size_t issuer_count,
                                       struct bus_str token, bus_time now, struct bus_arena *arena,
                                       struct bus_token_claims *ret);

/* ---- a verifier for many threads, with a bounded memory of accepted tokens ---- */

struct bus_token_verifier;

/* Remembers at most `remembered` tokens (about 1 KiB each; rounded up to a power of two, at least 4). Issuers are
 * copied, their texts are not. */
bool bus_token_verifier_new(const struct bus_token_issuer *issuers, size_t issuer_count, size_t remembered,
                            struct bus_token_verifier **ret, struct bus_error *err) BUS_MUST_CHECK;
void bus_token_verifier_free(struct bus_token_verifier *verifier); /* accepts NULL; frees the keys too */

/* Replaces the keys of one issuer and takes ownership. Tokens that were accepted with a key that the new set does not
 * have are refused from here on, remembered ones too. */
void bus_token_verifier_set_keys(struct bus_token_verifier *verifier, size_t issuer, struct bus_token_keys *keys);

/* ret_issuer: the index of the issuer that the token names, also for BUS_TOKEN_KEY, so that its keys can be asked for
 * again; SIZE_MAX where it is not known. May be NULL. */
enum bus_token_verdict bus_token_verifier_check(struct bus_token_verifier *verifier, struct bus_str token, bus_time now,
                                                struct bus_arena *arena, struct bus_token_claims *ret,
                                                size_t *ret_issuer);

/* ---- the header Authorization ---- */

/* True if the value is "Bearer " (in any case) and one token of RFC 6750's characters; ret is a view of it. */
bool bus_token_bearer(struct bus_str authorization, struct bus_str *ret);

/* ---- signing ---- */

struct bus_token_signer; /* a private P-256 key and its kid */

/* A new private key as PEM (PKCS #8), in the arena: erase it when it is stored. */
bool bus_token_key_generate(struct bus_arena *arena, struct bus_str *ret_pem, struct bus_error *err) BUS_MUST_CHECK;
/* pem: a private key on P-256; anything else is refused. kid NULL: the key's thumbprint (RFC 7638). */
bool bus_token_signer_new(struct bus_str pem, const char *kid, struct bus_token_signer **ret,
                          struct bus_error *err) BUS_MUST_CHECK;
void bus_token_signer_free(struct bus_token_signer *signer); /* accepts NULL */
/* The id of the signer's key; valid as long as the signer. */
const char *bus_token_signer_kid(const struct bus_token_signer *signer);
/* The public half, for a JWKS; its texts are in the arena. False when out of memory. */
bool bus_token_signer_jwk(const struct bus_token_signer *signer, struct bus_arena *arena,
                          struct bus_jwk *ret) BUS_MUST_CHECK;
/* A token of type at+jwt for that audience; jti may be absent. False: a claim has a form that no reader here accepts,
 * or out of memory. */
bool bus_token_sign(const struct bus_token_signer *signer, const struct bus_token_claims *claims, const char *aud,
                    struct bus_str jti, struct bus_arena *arena, struct bus_str *ret,
                    struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
