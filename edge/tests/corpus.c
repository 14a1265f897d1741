/* Bodies of all requests that have one, from what is plainly right to what only looks so. */
#include "corpus.h"

#define K "\"idempotency_key\":\"k\""
#define I "\"items\":[{\"product_id\":\"A\",\"quantity\":1}]"
#define ITEM(text) "{" K ",\"items\":[" text "]}"
#define WITH(text) "{" K "," I "," text "}"
#define TEN(x) x x x x x x x x x x
#define X50 TEN("xxxxx")
#define X64 X50 "xxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

const struct corpus_case place_corpus[] = {
    /* accepted */
    {"{" K "," I "}", NULL},
    {"{" I "," K "}", NULL},
    {" \t\r\n{ \"idempotency_key\" : \"k\" , " I " } \n", NULL},
    {WITH("\"customer_id\":\"c-1\""), NULL},
    {WITH("\"customer_id\":\"someone@example.com\""), NULL},
    {WITH("\"customer_id\":null"), NULL},
    {WITH("\"customer_id\":\"" X64 "\""), NULL},
    {WITH("\"payment\":{\"token\":\"pm_card_visa\"}"), NULL},
    {WITH("\"payment\":null"), NULL},
    {WITH("\"expected_total\":0"), NULL},
    {WITH("\"expected_total\":1998"), NULL},
    {WITH("\"expected_total\":1000000000000"), NULL},
    {WITH("\"expected_total\":null"), NULL},
    {"{\"idempotency_key\":\"" X255 "\"," I "}", NULL},
    {"{\"idempotency_key\":\"!~\\\"\\\\/\"," I "}", NULL},
    {"{\"idempotency_key\":\"\\u0041\"," I "}", NULL},
    {ITEM("{\"product_id\":\"" X64 "\",\"quantity\":1000}"), NULL},
    {ITEM("{\"quantity\":1,\"product_id\":\"a.b_c:d-9\"}"), NULL},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"a\",\"quantity\":1}"), NULL},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1000},{\"product_id\":\"B\",\"quantity\":1000}"), NULL},

    /* not JSON, or not only JSON (J1) */
    {"", ";"},
    {" ", ";"},
    {"{", ";"},
    {"}", ";"},
    {"null", ";"},
    {"[]", ";"},
    {"\"order\"", ";"},
    {"1", ";"},
    {"true", ";"},
    {"{" K "," I "} x", ";"},
    {"{" K "," I "}{}", ";"},
    {"{" K "," I ",}", ";"},
    {"{" K "," I, ";"},
    {"{" K " " I "}", ";"},
    {"{'idempotency_key':'k'," I "}", ";"},
    {"{idempotency_key:\"k\"," I "}", ";"},
    {"/* */{" K "," I "}", ";"},
    {"{" K "," I "}//", ";"},
    {"\xEF\xBB\xBF{" K "," I "}", ";"},
    {"{\"idempotency_key\":\"\x80\"," I "}", ";"},
    {"{\"idempotency_key\":\"\xC0\xAF\"," I "}", ";"},
    {"{\"idempotency_key\":\"\xED\xA0\x80\"," I "}", ";"},
    {"{\"idempotency_key\":\"a\\u0000b\"," I "}", ";"},
    {"{\"idempotency_key\":\"\\ud800\"," I "}", ";"},
    {"{\"idempotency_key\":\"\\x41\"," I "}", ";"},
    {"{\"idempotency_key\":\"\\u00g0\"," I "}", ";"},
    {"{\"idempotency_key\":\"a\nb\"," I "}", ";"},
    {"{\"idempotency_key\":\"a\x1b[31m\"," I "}", ";"},
    {WITH("\"expected_total\":01"), ";"},
    {WITH("\"expected_total\":1."), ";"},
    {WITH("\"expected_total\":.5"), ";"},
    {WITH("\"expected_total\":+1"), ";"},
    {WITH("\"expected_total\":0x10"), ";"},
    {WITH("\"expected_total\":NaN"), ";"},
    {WITH("\"expected_total\":Infinity"), ";"},
    {WITH("\"x\":[[[[[[[[[1]]]]]]]]]"), ";"},

    /* repeated members: after unescaping, and with their case */
    {"{" K "," K "," I "}", "idempotency_key;"},
    {"{" K ",\"idempotency_ke\\u0079\":\"other\"," I "}", "idempotency_key;"},
    {"{" K "," I "," I "}", "items;"},
    {ITEM("{\"product_id\":\"A\",\"product_id\":\"B\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1,\"quantity\":2}"), "items[0].quantity;"},

    /* members that nobody knows (Z3): prices, status and owners are not the client's */
    {WITH("\"status\":\"CONFIRMED\""), "status;"},
    {WITH("\"total\":1"), "total;"},
    {WITH("\"order_id\":\"018f0000-0000-7000-8000-000000000000\""), "order_id;"},
    {WITH("\"currency\":\"EUR\""), "currency;"},
    {WITH("\"wait_ms\":60000"), "wait_ms;"},
    {WITH("\"request_hash\":\"00\""), "request_hash;"},
    {WITH("\"Customer_ID\":\"c\""), "Customer_ID;"},
    {WITH("\"__proto__\":{}"), "__proto__;"},
    {WITH("\"\":1"), ";"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1,\"unit_price\":1}"), "items[0].unit_price;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1,\"price\":1}"), "items[0].price;"},
    {WITH("\"payment\":{\"token\":\"t\",\"amount\":1}"), "payment.amount;"},

    /* the key */
    {"{" I "}", "idempotency_key;"},
    {"{\"idempotency_key\":null," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"\"," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":1," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":[\"k\"]," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"a b\"," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"k\xC3\xA4\"," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"a\\u007f\"," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"a\\tb\"," I "}", "idempotency_key;"},
    {"{\"idempotency_key\":\"" X255 "x\"," I "}", "idempotency_key;"},

    /* the customer */
    {WITH("\"customer_id\":\"\""), "customer_id;"},
    {WITH("\"customer_id\":7"), "customer_id;"},
    {WITH("\"customer_id\":{}"), "customer_id;"},
    {WITH("\"customer_id\":\"a b\""), "customer_id;"},
    {WITH("\"customer_id\":\"\\u00e4\""), "customer_id;"},
    {WITH("\"customer_id\":\"" X64 "x\""), "customer_id;"},

    /* items */
    {"{" K "}", "items;"},
    {"{" K ",\"items\":null}", "items;"},
    {"{" K ",\"items\":[]}", "items;"},
    {"{" K ",\"items\":{}}", "items;"},
    {"{" K ",\"items\":\"A\"}", "items;"},
    {ITEM("1"), "items[0];"},
    {ITEM("null"), "items[0];"},
    {ITEM("[]"), "items[0];"},
    {ITEM("{}"), "items[0].product_id;items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\"}"), "items[0].quantity;"},
    {ITEM("{\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":7,\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"a b\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"a/../b\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"x'; DROP TABLE orders;--\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"" X64 "x\",\"quantity\":1}"), "items[0].product_id;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":0}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":-1}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1001}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1.5}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1.0}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1e2}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":\"1\"}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":true}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":null}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":[1]}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":4294967297}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":18446744073709551617}"), "items[0].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"B\",\"quantity\":0}"), "items[1].quantity;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"A\",\"quantity\":2}"), "items[1].product_id;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"\\u0041\",\"quantity\":2}"), "items[1].product_id;"},
    {ITEM("{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"B\",\"quantity\":1},"
          "{\"product_id\":\"A\",\"quantity\":1},{\"product_id\":\"B\",\"quantity\":1}"),
     "items[2].product_id;items[3].product_id;"},

    /* payment and total (J2) */
    {WITH("\"payment\":{}"), "payment.token;"},
    {WITH("\"payment\":\"pm_card_visa\""), "payment;"},
    {WITH("\"payment\":[]"), "payment;"},
    {WITH("\"payment\":{\"token\":\"\"}"), "payment.token;"},
    {WITH("\"payment\":{\"token\":\"4242 4242 4242 4242\"}"), "payment.token;"},
    {WITH("\"payment\":{\"token\":\"" X64 X64 "x\"}"), "payment.token;"},
    {WITH("\"expected_total\":-1"), "expected_total;"},
    {WITH("\"expected_total\":10.5"), "expected_total;"},
    {WITH("\"expected_total\":1e2"), "expected_total;"},
    {WITH("\"expected_total\":1E400"), "expected_total;"},
    {WITH("\"expected_total\":\"1998\""), "expected_total;"},
    {WITH("\"expected_total\":1000000000001"), "expected_total;"},
    {WITH("\"expected_total\":9007199254740993"), "expected_total;"},
    {WITH("\"expected_total\":{}"), "expected_total;"},

    /* all that is wrong at once */
    {"{}", "idempotency_key;items;"},
    {"{\"idempotency_key\":\"\",\"items\":[{\"product_id\":\"\",\"quantity\":0}],\"expected_total\":-1,\"x\":1}",
     "idempotency_key;items[0].product_id;items[0].quantity;expected_total;x;"},
};
const size_t place_corpus_count = sizeof place_corpus / sizeof place_corpus[0];

#define P "\"product_id\":\"A\""
#define H "\"on_hand\":5"
const struct corpus_case stock_corpus[] = {
    {"{" K "," P "," H "}", NULL},
    {"{" H "," P "," K "}", NULL},
    {"{" K "," P ",\"on_hand\":0}", NULL},
    {"{" K "," P ",\"on_hand\":1000000000}", NULL},
    {"{" K "," P ",\"on_hand\":1000000001}", "on_hand;"},
    {"{" K "," P ",\"on_hand\":-1}", "on_hand;"},
    {"{" K "," P ",\"on_hand\":1.5}", "on_hand;"},
    {"{" K "," P ",\"on_hand\":\"5\"}", "on_hand;"},
    {"{" K "," P "}", "on_hand;"},
    {"{" K "," H "}", "product_id;"},
    {"{" K ",\"product_id\":\"a b\"," H "}", "product_id;"},
    {"{" P "," H "}", "idempotency_key;"},
    {"{" K "," P "," H ",\"price\":1}", "price;"},
    {"{" K "," P "," H ",\"reserved\":0}", "reserved;"},
    {"{" K "," P ",\"delta\":-1000000000}", NULL},
    {"{" K "," P ",\"delta\":1000000001}", "delta;"},
    {"{" K "," P ",\"delta\":1e2}", "delta;"},
    {"{" K "," P "," H ",\"delta\":5}", "delta;"},
    {"{}", "idempotency_key;product_id;"},
    {"", ";"},
};
const size_t stock_corpus_count = sizeof stock_corpus / sizeof stock_corpus[0];

const struct corpus_case cancel_corpus[] = {
    {"", NULL},
    {"{}", NULL},
    {"{\"reason\":\"no longer needed \xF0\x9F\x99\x82\"}", NULL},
    {"{\"reason\":null}", NULL},
    {"{\"reason\":\"\"}", "reason;"},
    {"{\"reason\":1}", "reason;"},
    {"{\"reason\":\"a\\nb\"}", "reason;"},
    {"{\"reason\":\"a\\u001b[2Jb\"}", "reason;"},
    {"{\"reason\":\"\\u202edeliap\"}", "reason;"},
    {"{\"reason\":\"\\u2066to the right\"}", "reason;"},
    {"{\"reason\":\"\xD9\x84\xD9\x85 \xD7\xA2\xD7\x95\xD7\x93\"}", NULL},
    {"{\"reason\":\"" X64 X64 X64 "123456789\"}", "reason;"},
    {"{\"customer_id\":\"c\"}", "customer_id;"},
    {"{\"order_id\":\"018f0000-0000-7000-8000-000000000000\"}", "order_id;"},
    {"[]", ";"},
    {"x", ";"},
};
const size_t cancel_corpus_count = sizeof cancel_corpus / sizeof cancel_corpus[0];
