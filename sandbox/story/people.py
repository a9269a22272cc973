"""Who works for the company: where, at which hours, from which networks and devices."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.organization.things import User, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

DAY, HOUR, MINUTE = 86_400, 3_600, 60  # seconds
_WORKING_HOURS = 9
_WORKING_DAYS = 5
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0
_KHTML = "AppleWebKit/{} (KHTML, like Gecko)"
_CHROME = f"{_KHTML.format('537.36')} Chrome/142.0.0.0 Safari/537.36"
_SAFARI = f"{_KHTML.format('605.1.15')} Version/26.1 Safari/605.1.15"
_AGENTS = (
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_CHROME}",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI}",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Edg/142.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)


@dataclass(frozen=True)
class Place:
    """Where people are.

    Attributes:
        city: The city.
        region: The region.
        region_code: The region's code.
        country: The country, ISO 3166-1 alpha-2.
        latitude: Degrees, as the API writes them.
        longitude: Degrees, as the API writes them.
        utc_hours: What its clocks are ahead of UTC, the year round.
    """

    city: str
    region: str
    region_code: str
    country: str
    latitude: str
    longitude: str
    utc_hours: int

    def client(self, address: str, network: str, agent: str) -> Json:
        """Return what sessions show of a device here.

        Args:
            address: Its IP address.
            network: The number of its autonomous system.
            agent: The user agent; one browser has one TLS fingerprint.
        """
        fingerprint = f"{random.Random(agent).getrandbits(128):032x}"
        return {
            "ip_address": address,
            "user_agent": agent,
            "ja3": fingerprint,
            "ja4": f"t13d1516h2_{fingerprint[:12]}_{fingerprint[-12:]}",
            "ip_address_details": {
                "country": self.country,
                "city": self.city,
                "region": self.region,
                "region_code": self.region_code,
                "asn": network,
                "latitude": self.latitude,
                "longitude": self.longitude,
            },
        }


@dataclass(frozen=True)
class Site:
    """A place with an office, and the names of people who live there.

    Attributes:
        place: Where it is.
        office: The office's IP address; its VPN shows the same.
        office_network: The autonomous system of the office.
        home: IP addresses of homes, with a gap for a number.
        home_network: The autonomous system of homes.
        first_names: First names.
        last_names: Last names.
    """

    place: Place
    office: str
    office_network: str
    home: str
    home_network: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


SITES = (
    Site(
        Place("Paris", "Île-de-France", "IDF", "FR", "48.85341", "2.34880", 1),
        "192.0.2.10", "64496", "203.0.113.{}", "64501",
        ("Camille", "Chloé", "Élodie", "Hugo", "Inès", "Jules", "Léa", "Louis",
         "Mathieu", "Nadia", "Théo", "Yasmine"),
        ("Bernard", "Chevalier", "Dubois", "Fontaine", "Garnier", "Haddad", "Lefèvre",
         "Marchand", "Moreau", "Nguyen", "Roussel", "Vidal"),
    ),
    Site(
        Place("Berlin", "Land Berlin", "BE", "DE", "52.52437", "13.41053", 1),
        "192.0.2.40", "64497", "2001:db8:30:{}::5", "64502",
        ("Anna", "Ayşe", "Felix", "Franziska", "Jonas", "Jürgen", "Katharina", "Lena",
         "Moritz", "Paul", "Sophie", "Tomasz"),
        ("Albrecht", "Becker", "Fischer", "Hoffmann", "Keller", "Kowalski", "Krüger",
         "Lindner", "Neumann", "Schäfer", "Vogel", "Yilmaz"),
    ),
    Site(
        Place("New York", "New York", "NY", "US", "40.71427", "-74.00597", -5),
        "192.0.2.90", "64498", "198.51.100.{}", "64503",
        ("Alicia", "Brandon", "Carlos", "Dana", "Ethan", "Grace", "Imani", "Jordan",
         "Maya", "Olivia", "Priya", "Samuel"),
        ("Anderson", "Brooks", "Castillo", "Coleman", "Freeman", "Goldberg", "Hughes",
         "Okafor", "Patel", "Rivera", "Sullivan", "Walker"),
    ),
    Site(
        Place("Singapore", "Central Singapore", "01", "SG", "1.28967", "103.85007", 8),
        "192.0.2.130", "64499", "2001:db8:65:{}::5", "64504",
        ("Aaron", "Aisha", "Arjun", "Beatrice", "Daniel", "Farah", "Hui Min", "Jia Hao",
         "Kavitha", "Mei Ling", "Rachel", "Wei Jie"),
        ("Abdullah", "Chua", "Goh", "Koh", "Lim", "Menon", "Ng", "Ong", "Rahman", "Tan",
         "Teo", "Wong"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody of the company.

    Attributes:
        user: Who they are for the API.
        place: Where they live and work.
        starts_at: When they start working, hours of the local day.
        office: What their sessions show at the office and in its VPN.
        home: What they show at home.
    """

    user: User
    place: Place
    starts_at: float
    office: Json
    home: Json

    def days(self, since: int, until: int) -> range:
        """Return the local days that a time touches, days since 1970.

        Args:
            since: Its first second, Unix seconds.
            until: The second after its last.
        """
        return range(self._day(since), self._day(until - 1) + 1)

    def starts_on(self, day: int) -> int | None:
        """Return when they start working on a local day, None if that is a weekend."""
        if (day + _EPOCH_WEEKDAY) % 7 >= _WORKING_DAYS:
            return None
        return day * DAY + int((self.starts_at - self.place.utc_hours) * HOUR)

    def is_at_work(self, at: int) -> bool:
        """Tell whether a moment is within their working hours."""
        start = self.starts_on(self._day(at))
        return start is not None and start <= at < start + _WORKING_HOURS * HOUR

    def next_at_work(self, rng: random.Random, at: int) -> int:
        """Return a moment of their working hours: this one or one of the next day's."""
        if self.is_at_work(at):
            return at
        for day in range(self._day(at), self._day(at) + 7):
            start = self.starts_on(day)
            if start is not None and start >= at:
                return start + rng.randrange(10 * MINUTE, (_WORKING_HOURS - 2) * HOUR)
        raise AssertionError("a week has working days")

    def _day(self, at: int) -> int:
        return (at + self.place.utc_hours * HOUR) // DAY


def people(rng: random.Random) -> Iterator[Person]:
    """Return people without end, no two of one address; they belong nowhere yet."""
    taken: set[str] = set()
    while True:
        site = rng.choice((SITES[0], *SITES))  # the first is the largest
        name = f"{rng.choice(site.first_names)} {rng.choice(site.last_names)}"
        email = _address(name, len(taken) // 500)
        if email in taken:
            continue
        taken.add(email)
        agent = rng.choice(_AGENTS)
        home = site.home.format(len(taken) % 99 + 1)
        yield Person(
            User(new_id(rng, "user"), name, email, "reader", 0),
            site.place,
            rng.choice((8.0, 8.5, 9.0, 9.0, 9.5, 10.0)),
            site.place.client(site.office, site.office_network, agent),
            site.place.client(home, site.home_network, agent),
        )


def _address(name: str, number: int) -> str:
    plain = unicodedata.normalize("NFKD", name)
    letters = plain.encode("ascii", "ignore").decode("ascii").lower()
    first, _, last = letters.rpartition(" ")
    return f"{first.replace(' ', '')}.{last}{number or ''}@example.com"
