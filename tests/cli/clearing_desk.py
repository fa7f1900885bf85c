"""A clearing desk for a test: configuration, mappings, and a gateway that is a file of answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.cli.program import Ended, Program

__all__ = ["ANSWERS", "AT", "OURS", "ClearingDesk", "trade"]

AT = "2019-05-05T10:00"
"""Within the Post-Release Verification Session of the 2019 upgrade."""

ANSWERS = """\
[[trades]]
enquiry = "CQ10"
answer = "CA10"
parameters = { date_s = "{business_date:%Y%m%d}" }
for_each = { enquiry = "DQ8", parameters = { group = "group_c" } }
date_format = "%Y%m%d"
[trades.columns]
trade_number = "trade_number_i"
series = ["commodity_s", "expiry_s"]
side = { from = "bought_or_sold_c", words = { "1" = "buy", "2" = "sell" } }
quantity = "trade_quantity_i"
price = { from = "deal_price_i", decimals = 2 }
account = "account_s"
business_date = "business_date_s"
sequence = "sequence_number_i"

[[positions]]
enquiry = "CQ3"
date_format = "%Y%m%d"
[positions.columns]
account = "account_s"
series = "series_s"
business_date = "business_date_s"
long = { from = "net_q", take = "positive" }
short = { from = "net_q", take = "negative" }

[[transactions]]
enquiry = "CQ61"
parameters = { from_s = "{since:%Y%m%d}" }
date_format = "%Y%m%d"
[transactions.columns]
reference = "reference_s"
type = { constant = "give-up" }
business_date = "business_date_s"
entered_at = "entered_s"
"""

COLUMNS = """\
[trades]
delimiter = ";"
date_format = "%d.%m.%Y"
decimal_point = ","
thousands = "."
[trades.columns]
trade_number = "Deal"
series = "Contract"
side = { from = "B/S", words = { K = "buy", V = "sell" } }
quantity = "Lots"
price = "Price"
account = { from = "Account", words = { HOUSE = "A1" } }
business_date = "Date"
"""

OURS = """\
Deal;Contract;B/S;Lots;Price;Account;Date
101;HSI K9;K;3;28.500,5;HOUSE;03.05.2019
102;HSI K9;V;2;28.501;B2;03.05.2019
"""


def trade(number: int, **other: Any) -> dict[str, Any]:
    """A trade as the far side's layout has it."""
    return {
        "trade_number_i": number,
        "commodity_s": "HSI",
        "expiry_s": "K9",
        "bought_or_sold_c": 1,
        "trade_quantity_i": 3,
        "deal_price_i": 2_850_050,
        "account_s": "A1",
        "sequence_number_i": number,
        **other,
    }


SOLD = {"bought_or_sold_c": 2, "trade_quantity_i": 2, "deal_price_i": 2_850_100, "account_s": "B2"}


@frozen
class ClearingDesk:
    """A back office in a home of its own; everything about it may be changed."""

    program: Program

    @property
    def home(self) -> Path:
        """Where everything lies."""
        return self.program.home

    def write(self, name: str, text: str) -> Path:
        """A file of the desk."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return path

    def far(self, **changed: Any) -> None:
        """Write the far side anew."""
        groups = [{"group_c": 1}, {"group_c": 2}]
        far = {
            "day": "20190503",
            "status": {
                "user_code": "HKCSYNBO801",
                "business_date": "2019-05-03",
                "days": 40,
                "change": "none",
            },
            "answers": {
                "DQ8": [groups],
                "CQ10": {"1": [[trade(101)], [trade(102, **SOLD)]], "2": [[]]},
                "CQ3": [[{"account_s": "A1", "series_s": "HSI K9", "net_q": -7}]],
                "CQ61": [
                    [
                        {"reference_s": "R1", "entered_s": "2019-05-06T11:00:00"},
                        {"reference_s": "R0", "entered_s": "2019-05-03T11:00:00"},
                    ]
                ],
            },
        }
        self.write("far.json", json.dumps({**far, **changed}))

    def configure(self, more: str = "", goes_wrong: Mapping[str, str] | None = None) -> None:
        """Write everything anew."""
        self.far()
        self.write("answers.toml", ANSWERS)
        self.write("columns.toml", COLUMNS)
        self.write("ours.csv", OURS)
        wrong = ", ".join(f'"{host}" = "{what}"' for host, what in (goes_wrong or {}).items())
        self.write(
            "config.toml",
            f"""\
[oapi_gateways.dcass]
adapter = "paper"
[oapi_gateways.dcass.options]
answers = "far.json"
gateways = ["10.151.5.81:15001", "10.151.5.82:15001"]
goes_wrong = {{ {wrong} }}
[work]
folder = "work"
[archive]
folder = "archive"
[clearing]
columns = "columns.toml"
answers = "answers.toml"
{more}
""",
        )

    def clearing(self, *words: str | Path) -> Ended:
        """Run ``hkex-ops clearing`` with the desk's configuration."""
        return self.program.here("clearing", *words, "--config", self.home / "config.toml")
