/* The files of notify-svc/mail, compiled in (cmake/OrderbusEmbed.cmake). */
#pragma once

#include <stddef.h>

struct embedded_file {
  const unsigned char *bytes;
  size_t len;
};
/* The first line of a text is its subject. */
extern const struct embedded_file order_confirmed_txt, order_cancelled_txt, order_rejected_txt, order_refunded_txt,
    webhook_disabled_txt, email_confirm_txt, foot_txt;
extern const struct embedded_file order_confirmed_html, order_cancelled_html, order_rejected_html, order_refunded_html,
    webhook_disabled_html, email_confirm_html, head_html, foot_html;
