"""Invented names the firm's books are filled with; every character of them exists in cp1252.

None names a real person or firm: domains end in ``.example`` and telephone numbers are 555-01xx.
"""

from __future__ import annotations

from decimal import Decimal

FOREIGN_CUSTOMERS: tuple[str, ...] = (
    "Café Étoile du Matin",
    "Gasthaus Mühlbach",
    "Pâtisserie Noëlle",
    "Panadería Año Nuevo",
    "Smørrebrød & Søn",
    "Crème Brûlée Society",
    "O’Malley’s Corner",  # a typographic apostrophe: byte 0x92 in cp1252
    "Äppelhuset Tearoom",
)
PLACES: tuple[str, ...] = (
    *("Amberlane", "Birchwater", "Cinderford", "Dovetail", "Elmhurst", "Fernhollow", "Goldenrod", "Hazelbrook"),
    *("Ivybridge", "Jackdaw", "Kingsmead", "Larchmont", "Maplewick", "Nettlefield", "Oldbarn", "Pepperhill"),
    *("Quincewood", "Ridgeway", "Sunnybank", "Tanglewood", "Upperton", "Violet", "Wrenfield", "Yellowfield"),
)
TRADES: tuple[str, ...] = (
    *("Tearoom", "Coffee House", "Hotel", "Books & Tea", "Bakery", "Delicatessen", "Grocers", "Guesthouse"),
    *("Garden Centre", "Farm Shop", "Gift Emporium", "Canteen Co.", "Brunch, Inc.", "“Slow Morning” Club"),
)
BRANCHES: tuple[str, ...] = ("Catering", "Station Kiosk", "Museum Shop", "Riverside", "Head Office")
FIRST_NAMES: tuple[str, ...] = (
    *("Adele", "Bruno", "Chloé", "Desmond", "Elif", "Félix", "Gwen", "Hugo", "Imke", "Jörg", "Kerstin"),
    *("Lorcan", "Mirela", "Nils", "Oona", "Priya", "Renée", "Sóley", "Tamsin", "Ulla", "Vikram", "Wilma"),
)
LAST_NAMES: tuple[str, ...] = (
    *("Ashdown", "Bellweather", "Castañeda", "Dübel", "Everhart", "Fairclough", "Grünwald", "Halloran", "Inglenook"),
    *("Jessop", "Kowalke", "Lefèvre", "Marchbanks", "Nesbitt", "Osgood", "Pemberley", "Quigley-Smith", "Rasmussen"),
)
STREETS: tuple[str, ...] = (
    *("Mulberry Street", "Chapel Lane", "Market Square", "Station Road", "Mill Pond Drive", "Old Turnpike"),
    *("Cooper's Alley", "Harvest Avenue"),
)
CITIES: tuple[tuple[str, str, str], ...] = (
    ("Fernwick", "NJ", "074"),
    ("Port Marian", "NJ", "079"),
    ("Saint Orlan", "NJ", "088"),
    ("Whitcombe", "NY", "109"),
    ("Lower Aldous", "PA", "194"),
    ("Mistral Bay", "CT", "064"),
)
"""City, state, and the first three digits of its postal codes: many of them begin with a zero."""

CUSTOMER_KINDS: tuple[str, ...] = ("Café", "Retail", "Hotel", "Online")
REPS: tuple[str, ...] = ("AK", "JM", "")
SHIP_VIAS: tuple[str, ...] = ("Parcel", "Courier", "Pickup", "")
MEMOS: tuple[str, ...] = ("", "", "", "Deliver before 10", "Second basket to follow", "Ordered at the fair, stand 12-B")
MESSAGES: tuple[str, ...] = ("", "", "Thank you for your order!", 'Please mention "Copperleaf" when you pay')
NOTES: tuple[str, ...] = ('Prefers the "blue" tins.\nCall before delivery.', "Closed on Mondays,\nopen on Sundays")
LINE_TEXTS: tuple[str, ...] = (
    "*** ship together with the next order ***",
    'Label the box "gift"',
    "As agreed on the phone",
)
PAYMENT_METHODS: tuple[str, ...] = ("Card", "Card", "Web shop", "Cash", "Check")

TEAS: tuple[tuple[str, str], ...] = (
    ("ASM", "Assam second flush"),
    ("DAR", "Darjeeling first flush"),
    ("SEN", "Sencha"),
    ("GYO", "Gyokuro"),
    ("OOL", "Oolong, dark roast"),
    ("EGR", "Earl Grey"),
    ("PEP", "Peppermint"),
    ("ROO", "Rooibos"),
    ("CHA", "Masala chai"),
    ("JAS", "Jasmine pearls"),
    ("LAP", "Lapsang souchong"),
    ("WHI", "White peony"),
    ("HIB", "Hibiscus & rosehip"),
    ("MAT", "Maté, roasted"),
)
PACKS: tuple[tuple[str, str, str, Decimal], ...] = (
    ("T", "100 g tin", "tin (tin)", Decimal("1.00")),
    ("B", "250 g bag", "bag (bg)", Decimal("1.90")),
    ("K", "loose, per kg", "kilogram (kg)", Decimal("6.40")),
)
"""Code, description, unit, and the price as a multiple of the tin's."""

WARE: tuple[tuple[str, str], ...] = (
    ("POT-08", 'Teapot, stoneware, 8" across'),
    ("POT-10", 'Teapot, cast iron, 10", with trivet'),
    ("CUP-S", "Cup, porcelain, set of 6"),
    ("INF-3", 'Infuser basket 3", "fine" mesh'),
    ("KET-1", "Kettle, gooseneck, 1 litre"),
    ("SCP-W", "Scoop, walnut"),
    ("TIM-2", "Timer, sand, 2 and 4 minutes"),
    ("BOX-G", "Gift box, empty"),
)
