"""The interface of the licensed library, as far as it is used: names, signatures, three structures.

Names and signatures are what interoperating needs; nothing is taken from a vendor's header. What
this adapter never does it does not even declare: changing a password, writing to the log of the
gateway, sending by a function that answers.
"""

from __future__ import annotations

__all__ = ["DECLARATIONS", "LOGIN", "OLD_LOGIN_BYTES", "OPTIONAL", "REQUIRED"]

DECLARATIONS = """
void *omniapi_create_session(void);
void omniapi_close_session(void *session);
int32_t omniapi_set_option_ex(void *session, int32_t option, int32_t value);
int32_t omniapi_login_ex(void *session, int32_t *status, void *login);
int32_t omniapi_logout_ex(void *session, int32_t *status);
int32_t omniapi_tx_ex(void *session, int32_t *status, uint32_t facility, void **messages,
                      void *transaction_id, void *order_id);
int32_t omniapi_query_ex(void *session, int32_t *status, uint32_t facility, void *request,
                         char want, char *answer, uint32_t *length, void *transaction_id,
                         void *order_id);
int32_t omniapi_set_event_ex(void *session, uint32_t type, char *list);
int32_t omniapi_read_event_ext_ex(void *session, uint32_t type, char *buffer, uint32_t *length,
                                  int32_t *mask, int32_t options);
int32_t omniapi_get_message_ex(void *session, int32_t code, char *text, uint32_t *length,
                               int32_t simple);
int32_t omniapi_get_info_ex(void *session, int32_t *reason, uint32_t type, uint32_t *length,
                            void *buffer);
uint16_t swapint16(uint16_t value);
"""

LOGIN = "omniapi_create_session"
"""What every kit exports and no other product does: by it the library is known."""

REQUIRED = (
    LOGIN,
    "omniapi_close_session",
    "omniapi_tx_ex",
    "omniapi_query_ex",
    "omniapi_set_event_ex",
    "omniapi_read_event_ext_ex",
    "omniapi_get_message_ex",
    "omniapi_get_info_ex",
    "swapint16",
)
"""Without these nothing can be asked."""

OPTIONAL = ("omniapi_login_ex", "omniapi_logout_ex", "omniapi_set_option_ex")
"""Older kits lack these; logging in and out then goes by messages."""

OLD_LOGIN_BYTES = 268
"""The log-in message of an older kit."""
