/*
 * Currencies of the payment provider, and how it counts amounts in them (docs.stripe.com/currencies). An amount is an
 * integer of minor units everywhere. These are the minor units of ISO 4217, but the provider counts ISK and UGX in
 * hundredths, which must be 00, and MGA in whole units. With three decimals the last one must be 0. Both hold for
 * charges and for refunds. Pure.
 */
#ifndef CURRENCY_H
#define CURRENCY_H

#include <bus/base.h>

/* One group for each kind of amounts; a currency is added to its group. */
#define CURRENCY_HUNDREDTHS                                                                                            \
  "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BMD|BND|BOB|BRL|BSD|BWP|BYN|BZD|CAD|CDF|CHF|CNY|COP|CRC|"   \
  "CVE|CZK|DKK|DOP|DZD|EGP|ETB|EUR|FJD|FKP|GBP|GEL|GIP|GMD|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|JMD|KES|KGS|KHR|KYD|"   \
  "KZT|LAK|LBP|LKR|LRD|LSL|MAD|MDL|MKD|MMK|MNT|MOP|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|PAB|PEN|PGK|PHP|"   \
  "PKR|PLN|QAR|RON|RSD|RUB|SAR|SBD|SCR|SEK|SGD|SHP|SLE|SOS|SRD|STD|SZL|THB|TJS|TOP|TRY|TTD|TWD|TZS|UAH|USD|UYU|UZS|"   \
  "WST|XCD|XCG|YER|ZAR|ZMW"
#define CURRENCY_UNITS "BIF|CLP|DJF|GNF|JPY|KMF|KRW|MGA|PYG|RWF|VND|VUV|XAF|XOF|XPF"
#define CURRENCY_THOUSANDTHS "BHD|JOD|KWD|OMR|TND"
#define CURRENCY_ZERO_HUNDREDTHS "ISK|UGX"

/* A regular expression for the codes, for documents. */
#define CURRENCY_PATTERN                                                                                               \
  "^(" CURRENCY_HUNDREDTHS "|" CURRENCY_UNITS "|" CURRENCY_THOUSANDTHS "|" CURRENCY_ZERO_HUNDREDTHS ")$"
#define CURRENCY_ALLOWED "an ISO 4217 code of a currency that the payment provider takes, such as EUR"

struct currency {
  const char *codes; /* of its group, with "|" between them */
  int decimals;      /* digits of an amount behind the decimal point */
  int64_t step;      /* amounts are multiples of it, in minor units */
};

/* NULL for a code that the provider does not take. Codes are in capitals, as ISO 4217 has them. */
const struct currency *currency_find(struct bus_str code);

bool currency_takes(const struct currency *currency, int64_t amount);

/* "a multiple of 10 in KWD, whose amounts have 3 decimals": the amounts that it takes. The code is that of currency. */
enum { CURRENCY_AMOUNTS_SIZE = 80 };
void currency_amounts(const struct currency *currency, struct bus_str code, char ret[CURRENCY_AMOUNTS_SIZE]);

#endif
