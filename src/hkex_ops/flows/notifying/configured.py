"""What the configuration says of notifications, joined with the adapters on offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path

from attrs import field, frozen

from hkex_ops.config.notifying import NotifierSettings
from hkex_ops.config.routes import load_routing, load_templates
from hkex_ops.config.settings import Settings, structure_options
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, OutsideCalendar
from hkex_ops.model import SiteRole
from hkex_ops.notifications import BusinessDays, DeliveryRules, Routing, Templates
from hkex_ops.plugins import Plugins
from hkex_ops.ports import Notifier, Offer

__all__ = ["Channel", "Correspondence", "correspondence", "never_a_doubt"]


@frozen
class Channel:
    """One way to tell people: a ``[notifiers.NAME]`` table with the adapter that serves it."""

    name: str
    site: SiteRole
    offer: Offer[Notifier]
    options: object
    drops_repeats: bool = False

    def open(self) -> AbstractAsyncContextManager[Notifier]:
        """The adapter, opened."""
        return self.offer.open(self.options, self.site)


def never_a_doubt(_: date) -> bool | None:
    """Nobody knows which days are business days; hours then hold on every day."""
    return None


@frozen
class Correspondence:
    """Everything that telling people needs: who, in which words, by what, and where it is kept."""

    folder: Path
    routing: Routing
    templates: Templates
    channels: Mapping[str, Channel]
    is_business_day: BusinessDays = never_a_doubt
    rules: DeliveryRules = field(factory=DeliveryRules)


def correspondence(settings: Settings, plugins: Plugins) -> Correspondence:
    """What ``settings`` say; `ConfigError` when they have no ``[notifications]``, and for every
    fault of the files that it names. Adapters are found and their options read, none is opened."""
    stated = settings.notifications
    if stated is None:
        raise ConfigError(
            "has no [notifications] table with routes and a folder", document=str(settings.path)
        )
    routing = load_routing(stated.routes, settings.notifiers)
    used = {
        telling.by
        for route in routing.routes
        for telling in (*route.tell, *route.fallback, *(one.telling for one in route.escalation))
    }
    return Correspondence(
        stated.folder,
        routing,
        load_templates(stated.templates),
        {
            name: _channel(name, notifier, settings, plugins)
            for name, notifier in settings.notifiers.items()
            if name in used
        },
        _business_days(settings),
    )


def _channel(name: str, stated: NotifierSettings, settings: Settings, plugins: Plugins) -> Channel:
    offer = plugins.notifier(stated.adapter)
    options = structure_options(
        settings, name, stated.options, offer.options, table="notifiers", offer=offer.name
    )
    return Channel(name, stated.site, offer, options, stated.drops_repeats)


def _business_days(settings: Settings) -> Callable[[date], bool | None]:
    calendar = load_calendar(settings.calendar.file)

    def is_business_day(day: date) -> bool | None:
        try:
            return calendar.is_business_day(day)
        except OutsideCalendar:
            return None

    return is_business_day
