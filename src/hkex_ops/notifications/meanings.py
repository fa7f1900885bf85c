"""What each event means, in each language: the words of a message whose event has no wording.

English is the catalogue's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hkex_ops.model import Language
from hkex_ops.notifications.catalogue import EVENT_KINDS

__all__ = ["meaning"]

_CHINESE: Mapping[str, str] = MappingProxyType(
    {
        "message/sent": "人手發出的訊息",
        "notify/digest": "多項通知合併為一則",
        "notify/unanswered": "未在限時內獲得確認，且已無其他人員可通知",
        "notify/unreached": "未能經任何途徑送達",
        "index/mode-changed": "指數轉為應變模式或恢復實時模式",
        "index/gateway-state-changed": "指數網關狀態有變",
        "index/publication-resumed": "指數恢復發布",
        "index/process-died": "指數運算程序自行結束",
        "index/process-failed": "指數運算程序無法繼續",
        "index/process-hung": "指數運算程序沒有反應",
        "index/message-quarantined": "導致引擎終止的訊息已被隔離",
        "index/engine-died": "引擎沒有輸出",
        "index/engine-returned": "引擎恢復輸出",
        "index/engine-disagreed": "兩個引擎的數值不同",
        "index/engine-distrusted": "引擎不再獲信任",
        "index/snapshot-differs": "核對運算的數值不同",
        "index/proof-failed": "暫緩發布的數值有誤",
        "index/moment-missed": "某一時刻沒有發布指數",
        "index/journal-failed": "運作日誌無法寫入",
        "index/journal-mended": "運作日誌恢復寫入",
        "index/run-started": "指數運算開始",
        "index/run-resumed": "監控程序中斷後，指數運算繼續",
        "index/run-stopped": "指數運算正常結束",
        "rundown/step-failed": "步驟未能完成",
        "rundown/step-unknown": "步驟結果未能確定",
        "rundown/step-unavailable": "步驟未能進行：所需組件尚未安裝",
        "rundown/step-skipped": "步驟已略過",
        "rundown/session-aborted": "測試時段提前中止",
        "rundown/session-opened": "測試時段開始",
        "rundown/session-closed": "測試時段結束",
        "reports/fetched": "業務日期的報告已齊備",
        "reports/missing": "欠業務日期的報告",
        "reports/findings": "下載報告時有需要跟進的發現",
        "reports/unavailable": "未能使用報告伺服器",
        "guard/denied": "有人要求進行規則不准許的行動",
        "guard/override-granted": "兩人同意暫時豁免一項規則",
        "clearing/system-text": "結算系統公告",
        "clearing/link-lost": "與結算系統的連線未能確定",
        "clearing/link-restored": "與結算系統的連線恢復",
        "clearing/events-lost": "結算系統的訊息有遺漏",
        "clearing/logout-imminent": "結算系統網關即將結束連線",
        "clearing/break-found": "後台與結算所的紀錄不符",
        "incident/opened": "事故立案",
        "incident/changed": "事故狀態有變",
        "incident/told": "須就事故通知有關人士",
        "incident/closed": "事故結案",
        "incident/report-due": "事故報告即將到期",
    }
)


def meaning(event: str, language: Language) -> str:
    """What ``event`` means in ``language``; its name, where the catalogue does not have it."""
    kind = EVENT_KINDS.get(event)
    if kind is None:
        return event
    if language is Language.CHINESE:
        return _CHINESE.get(event, event)
    return f"{kind.what[:1].upper()}{kind.what[1:]}"
