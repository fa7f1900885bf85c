/*
 * stand_in_messages.h: what is said to and by the stand-in of a clearing house.
 *
 * INVENTED by hkex-ops-simulator, in the style of the header that a licensee gets from an exchange.
 * No size and no offset of a record is any exchange's: a client that works with this file and with
 * a licensee's own has nothing baked in. Only the building blocks at the top (type, series, user
 * and the headers of variable messages) are as every generation of that interface has them.
 *
 * Suffixes of fields: _c one byte, _n two bytes, _i four bytes signed, _u four bytes unsigned,
 * _q eight bytes signed, _s text of fixed width, padded with spaces. Structures have none or _x.
 * Integers are in the order that swapint16() and its sisters of the same library give.
 *
 * Each record is headed by its code. STAND_IN_RECORDS at the end has them once more as a table.
 * What is SYNTHETIC in an answer says so in its texts.
 */
#ifndef STAND_IN_MESSAGES_H
#define STAND_IN_MESSAGES_H

#ifdef __cplusplus
extern "C" {
#endif

typedef char int8;
typedef unsigned char uint8;
typedef short int16;
typedef unsigned short uint16;
typedef int int32;
typedef unsigned int uint32;
typedef long long int64;
typedef unsigned long long uint64;

#pragma pack(push, 1)

/* ---- Building blocks ---------------------------------------------------------------------- */

typedef struct transaction_type
{
    char    central_module_c;
    char    server_type_c;
    uint16  transaction_number_n;
} transaction_type_t;                                  /* 4 */

typedef struct broadcast_type
{
    char    central_module_c;
    char    server_type_c;
    uint16  transaction_number_n;
} broadcast_type_t;                                    /* 4 */

typedef struct series                                  /* zero in a field of an enquiry: any */
{
    uint8   country_c;
    uint8   market_c;
    uint8   instrument_group_c;
    uint8   modifier_c;
    uint16  commodity_n;
    uint16  expiration_date_n;                         /* year - 1989: 7 bits, month: 4, day: 5 */
    int32   strike_price_i;
} series_t;                                            /* 12 */

typedef struct user_code
{
    char    country_id_s [2];
    char    ex_customer_s [5];
    char    user_id_s [5];
} user_code_t;                                         /* 12 */

typedef struct answer_segment_hdr                      /* begins a variable answer in segments */
{
    transaction_type_t transaction_type;
    uint16  items_n;
    uint16  size_n;
    uint16  segment_number_n;                          /* 0 in the last one */
    char    filler_2_s [2];
} answer_segment_hdr_t;                                /* 12 */

typedef struct broadcast_hdr                           /* begins a variable broadcast */
{
    broadcast_type_t broadcast_type;
    uint16  items_n;
    uint16  size_n;
} broadcast_hdr_t;                                     /* 8 */

typedef struct item_hdr                                /* begins an item; size_n counts it */
{
    uint16  items_n;
    uint16  size_n;
} item_hdr_t;                                          /* 4 */

typedef struct sub_item_hdr                            /* begins a sub-item; size_n counts it */
{
    uint16  named_struct_n;
    uint16  size_n;
} sub_item_hdr_t;                                      /* 4 */

/* The account is the first thing that has a size of its own here. */
typedef struct account
{
    char    country_id_s [2];
    char    ex_customer_s [5];
    char    account_id_s [14];
} account_t;                                           /* 21 */

/* ---- Sub-items of variable messages ------------------------------------------------------- */

/* named struct 203 */
typedef struct trade_base
{
    series_t  series;
    int32   trade_number_i;
    int32   sequence_number_i;                         /* runs per country, market and group */
    account_t account;
    char    bought_or_sold_c;                          /* 1 bought, 2 sold */
    uint8   trade_state_c;                             /* 1 active, 2 rectified, 3 cancelled */
    uint8   open_close_c;                              /* 0 default, 1 open, 2 close */
    int64   quantity_q;
    int32   deal_price_i;                              /* with the decimals of the group */
    uint8   decimals_c;
    char    trade_date_s [8];
    char    trade_time_s [6];
    char    business_date_s [8];
    char    series_id_s [18];
    uint64  order_number_q;
    char    reference_s [15];
} trade_base_t;                                        /* 120 */

/* named struct 220 */
typedef struct trade_parties
{
    char    own_customer_s [7];
    char    counterparty_s [7];
    uint8   give_up_state_c;                           /* 0 none, 1 holding, 2 confirmed */
    char    give_up_member_s [7];
} trade_parties_t;                                     /* 22 */

/* Named struct 299 is sent as well and stands in no header: it has to be skipped by its size. */

/* ---- Trades ------------------------------------------------------------------------------- */

/* CQ10 */
typedef struct enquiry_trades_today
{
    transaction_type_t transaction_type;
    series_t  series;                                  /* country, market and group are needed */
    char    date_s [8];
    int32   sequence_first_i;
    int32   sequence_last_i;                           /* 0: to the end */
    char    filler_4_s [4];
} enquiry_trades_today_t;                              /* 36 */

/* CA10: not segmented. Continued from the last sequence number + 1 until nothing comes. */
typedef struct reply_trades_today
{
    transaction_type_t transaction_type;
    series_t  series;
    uint16  items_n;
    char    filler_2_s [2];
    /* items_n times item_hdr_t, each with its sub-items */
} reply_trades_today_t;                                /* 20 */

/* CQ11 */
typedef struct enquiry_trades_of_dates
{
    transaction_type_t transaction_type;
    series_t  series;
    char    from_date_s [8];
    char    to_date_s [8];
    int32   sequence_first_i;                          /* of from_date */
    int32   sequence_last_i;                           /* of to_date; 0: to the end */
    uint16  filler_n;
} enquiry_trades_of_dates_t;                           /* 42 */

/* CA11: one business date in one answer. Continued on from_date_s until nothing comes of it. */
typedef struct reply_trades_of_dates
{
    transaction_type_t transaction_type;
    series_t  series;
    char    from_date_s [8];                           /* of the trades in here */
    int32   sequence_first_i;                          /* what the next enquiry should begin with */
    uint16  items_n;
    char    next_date_s [8];                           /* where to go on; spaces: that was all */
    /* items_n times item_hdr_t, each with its sub-items */
} reply_trades_of_dates_t;                             /* 38 */

/* CQ39 */
typedef struct enquiry_trade_changes
{
    transaction_type_t transaction_type;
    series_t  series;
    int32   sequence_first_i;
    int32   sequence_last_i;
    uint8   instance_c;
} enquiry_trade_changes_t;                             /* 25 */

/* CA39: continued like CA10 */
typedef struct reply_trade_changes
{
    transaction_type_t transaction_type;
    uint16  items_n;
    struct
    {
        series_t  series;
        int32   trade_number_i;
        int32   sequence_number_i;                     /* of the change */
        uint8   trade_state_c;
        account_t account;
        int64   quantity_q;
        char    changed_date_s [8];
        char    changed_time_s [6];
    } item [200];                                      /* 64 each */
} reply_trade_changes_t;                               /* 6 + items */

/* ---- Positions and accounts --------------------------------------------------------------- */

/* CQ3 */
typedef struct enquiry_positions
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    series_t  series;
    account_t account;                                 /* spaces: every account */
    char    date_s [8];
} enquiry_positions_t;                                 /* 47 */

/* CA3: partition_low all 0 and partition_high all 255 where every partition has answered; else
   the answer is one partition's for itself. */
typedef struct reply_positions
{
    transaction_type_t transaction_type;
    series_t  partition_low;
    series_t  partition_high;
    char    business_date_s [8];
    uint16  segment_number_n;                          /* 0 in the last one */
    uint16  items_n;
    struct
    {
        series_t  series;
        account_t account;
        char    series_id_s [18];
        int64   held_q;
        int64   written_q;
        int64   deny_exercise_q;
        char    modified_date_s [8];
        char    modified_time_s [6];
        char    filler_3_s [3];
    } item [600];                                      /* 92 each */
} reply_positions_t;                                   /* 40 + items */

/* CQ122 */
typedef struct enquiry_position_history
{
    transaction_type_t transaction_type;
    series_t  series;
    account_t account;
    char    from_date_s [8];
    char    to_date_s [8];
    uint16  segment_number_n;
} enquiry_position_history_t;                          /* 55 */

/* CA122 */
typedef struct reply_position_history
{
    transaction_type_t transaction_type;
    series_t  partition_low;
    series_t  partition_high;
    uint16  segment_number_n;
    uint16  items_n;
    struct
    {
        char    business_date_s [8];
        series_t  series;
        account_t account;
        char    series_id_s [18];
        int64   held_q;
        int64   written_q;
    } item [500];                                      /* 75 each */
} reply_position_history_t;                            /* 32 + items */

/* CQ38 */
typedef struct enquiry_accounts
{
    transaction_type_t transaction_type;
    account_t account;
    uint16  segment_number_n;
} enquiry_accounts_t;                                  /* 27 */

/* CA38 */
typedef struct reply_accounts
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    uint16  items_n;
    struct
    {
        account_t account;
        char    account_type_s [12];
        char    description_s [30];
        uint8   account_state_c;
    } item [400];                                      /* 64 each */
} reply_accounts_t;                                    /* 8 + items */

/* ---- Reference data ----------------------------------------------------------------------- */

/* DQ8 */
typedef struct enquiry_groups
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
} enquiry_groups_t;                                    /* 6 */

/* DA8 */
typedef struct reply_groups
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    uint16  items_n;
    struct
    {
        series_t  series;                              /* country, market and group are set */
        char    group_id_s [5];
        char    name_s [32];
        uint8   decimals_c;
        uint8   group_type_c;                          /* 1 option, 2 future */
    } item [200];                                      /* 51 each */
} reply_groups_t;                                      /* 8 + items */

/* DQ2 */
typedef struct enquiry_series
{
    transaction_type_t transaction_type;
    series_t  series;
    uint16  segment_number_n;
} enquiry_series_t;                                    /* 18 */

/* DA2 */
typedef struct reply_series
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    uint16  items_n;
    struct
    {
        series_t  series;
        char    series_id_s [18];
        int32   contract_size_i;
        uint8   decimals_c;
    } item [900];                                      /* 35 each */
} reply_series_t;                                      /* 8 + items */

/* DQ30 */
typedef struct enquiry_user_type
{
    transaction_type_t transaction_type;
    user_code_t user_code;
} enquiry_user_type_t;                                 /* 16 */

/* DA30 */
typedef struct reply_user_type
{
    transaction_type_t transaction_type;
    char    user_type_s [10];
    uint16  items_n;
    struct
    {
        transaction_type_t allowed_x;
        uint8   broadcast_c;                           /* 1: a broadcast, 0: a transaction */
        char    filler_1_s [1];
    } item [300];                                      /* 6 each */
} reply_user_type_t;                                   /* 16 + items */

/* ---- Dates, signals and texts ------------------------------------------------------------- */

/* UQ12 */
typedef struct enquiry_business_date
{
    transaction_type_t transaction_type;
    char    filler_2_s [2];
} enquiry_business_date_t;                             /* 6 */

/* UA12 */
typedef struct reply_business_date
{
    transaction_type_t transaction_type;
    char    business_date_s [8];
    char    omex_version_s [20];
    char    utc_date_s [8];
    char    utc_time_s [6];
    char    tz_variable_s [40];
    int32   utc_offset_i;                              /* seconds east of UTC */
} reply_business_date_t;                               /* 90 */

/* BI7 */
typedef struct signal
{
    broadcast_type_t broadcast_type;
    uint32  info_type_u;                               /* 901 trades final, 902 positions final */
    series_t  series;
    char    business_date_s [8];
    char    sent_date_s [8];
    char    sent_time_s [6];
    uint32  sequence_number_u;
    char    text_s [24];
} signal_t;                                            /* 70 */

/* UQ9 */
typedef struct enquiry_signals
{
    transaction_type_t transaction_type;
    char    business_date_s [8];
    uint32  sequence_first_u;
    uint16  segment_number_n;
} enquiry_signals_t;                                   /* 18 */

/* UA9 */
typedef struct reply_signals
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    uint16  items_n;
    signal_t item [200];
} reply_signals_t;                                     /* 8 + items */

/* BI27 */
typedef struct clearing_message
{
    broadcast_type_t broadcast_type;
    uint32  sequence_number_u;
    char    business_date_s [8];
    char    sent_date_s [8];
    char    sent_time_s [6];
    uint8   priority_c;                                /* 1 urgent, 2 ordinary */
    char    originator_s [12];
    uint16  lines_n;
    char    text_s [5] [72];                           /* lines_n of them are used */
} clearing_message_t;                                  /* 405 */

/* UQ13 */
typedef struct enquiry_clearing_messages
{
    transaction_type_t transaction_type;
    char    business_date_s [8];
    uint32  sequence_first_u;
    uint16  segment_number_n;
} enquiry_clearing_messages_t;                         /* 18 */

/* UA13 */
typedef struct reply_clearing_messages
{
    transaction_type_t transaction_type;
    uint16  segment_number_n;
    uint16  items_n;
    clearing_message_t item [100];
} reply_clearing_messages_t;                           /* 8 + items */

/* ---- Broadcasts --------------------------------------------------------------------------- */

/* BD6: broadcast_hdr_t, then items_n sub-items (trade_base_t, trade_parties_t and others) */
typedef struct trade_broadcast
{
    broadcast_hdr_t header_x;
} trade_broadcast_t;                                   /* 8 and sub-items */

/* BD39 */
typedef struct trade_change
{
    broadcast_type_t broadcast_type;
    series_t  series;
    int32   trade_number_i;
    int32   sequence_number_i;
    uint8   trade_state_c;
    account_t account;
    int64   quantity_q;
    char    changed_date_s [8];
    char    changed_time_s [6];
} trade_change_t;                                      /* 68 */

/* BD40 */
typedef struct position_info
{
    broadcast_type_t broadcast_type;
    series_t  series;
    account_t account;
    int64   held_q;
    int64   written_q;
    char    modified_date_s [8];
    char    modified_time_s [6];
} position_info_t;                                     /* 67 */

/* BI9 */
typedef struct heartbeat
{
    broadcast_type_t broadcast_type;
    uint16  interval_n;
    uint8   instance_c;
    uint8   instances_c;
} heartbeat_t;                                         /* 8 */

/* ---- What changes the books --------------------------------------------------------------- */

/* CD28 rectify trade, CD35 give-up, CD5 transfer, CD34 position transfer, CD54 close-out,
   CC13 exercise request, CC14 deny exercise, CC15 annul exercise, CC38 confirm give-up,
   CC40 reject give-up, CC22 modify account: all in one form here. */
typedef struct change_books
{
    transaction_type_t transaction_type;
    series_t  series;
    int32   trade_number_i;
    account_t account;
    account_t to_account;
    int64   quantity_q;
    char    reference_s [11];
} change_books_t;                                      /* 81 */

/* UI1 */
typedef struct application_status
{
    transaction_type_t transaction_type;
    uint32  status_u;
    char    filler_6_s [6];
} application_status_t;                                /* 14 */

#pragma pack(pop)

/* The same as a table: letters and number of the code, its record, and the facility it goes to as
   an offset from the base (-1: nobody asks for it). */
#define STAND_IN_RECORDS(X)                              \
    X('C', 'Q',  10, enquiry_trades_today_t,       3)    \
    X('C', 'A',  10, reply_trades_today_t,        -1)    \
    X('C', 'Q',  11, enquiry_trades_of_dates_t,    5)    \
    X('C', 'A',  11, reply_trades_of_dates_t,     -1)    \
    X('C', 'Q',  39, enquiry_trade_changes_t,      3)    \
    X('C', 'A',  39, reply_trade_changes_t,       -1)    \
    X('C', 'Q',   3, enquiry_positions_t,          3)    \
    X('C', 'A',   3, reply_positions_t,           -1)    \
    X('C', 'Q', 122, enquiry_position_history_t,   5)    \
    X('C', 'A', 122, reply_position_history_t,    -1)    \
    X('C', 'Q',  38, enquiry_accounts_t,           3)    \
    X('C', 'A',  38, reply_accounts_t,            -1)    \
    X('D', 'Q',   8, enquiry_groups_t,             0)    \
    X('D', 'A',   8, reply_groups_t,              -1)    \
    X('D', 'Q',   2, enquiry_series_t,             0)    \
    X('D', 'A',   2, reply_series_t,              -1)    \
    X('D', 'Q',  30, enquiry_user_type_t,          0)    \
    X('D', 'A',  30, reply_user_type_t,           -1)    \
    X('U', 'Q',  12, enquiry_business_date_t,      1)    \
    X('U', 'A',  12, reply_business_date_t,       -1)    \
    X('U', 'Q',   9, enquiry_signals_t,            1)    \
    X('U', 'A',   9, reply_signals_t,             -1)    \
    X('U', 'Q',  13, enquiry_clearing_messages_t,  1)    \
    X('U', 'A',  13, reply_clearing_messages_t,   -1)    \
    X('B', 'D',   6, trade_broadcast_t,           -1)    \
    X('B', 'D',  39, trade_change_t,              -1)    \
    X('B', 'D',  40, position_info_t,             -1)    \
    X('B', 'I',   7, signal_t,                    -1)    \
    X('B', 'I',   9, heartbeat_t,                 -1)    \
    X('B', 'I',  27, clearing_message_t,          -1)    \
    X('C', 'D',  28, change_books_t,               3)    \
    X('C', 'D',  35, change_books_t,               3)    \
    X('C', 'D',   5, change_books_t,               3)    \
    X('C', 'D',  34, change_books_t,               3)    \
    X('C', 'D',  54, change_books_t,               3)    \
    X('C', 'C',  13, change_books_t,               3)    \
    X('C', 'C',  14, change_books_t,               3)    \
    X('C', 'C',  15, change_books_t,               3)    \
    X('C', 'C',  22, change_books_t,               3)    \
    X('C', 'C',  38, change_books_t,               3)    \
    X('C', 'C',  40, change_books_t,               3)    \
    X('U', 'I',   1, application_status_t,         0)

#ifdef __cplusplus
}
#endif
#endif
