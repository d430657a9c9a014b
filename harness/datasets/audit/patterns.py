"""What secrets and personal details look like, and how a text is shown without them.

Matched with RE2, whose time is linear in the text, so that no row can make a pattern hang.
"""

from __future__ import annotations

import re2

from harness.ground import formatting

HIDDEN = "[hidden]"
LONGEST = 120

# Each begins with something that ordinary text does not: an audit must not cry wolf.
SECRETS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]*)",
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "API key": r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "bearer token": r"\bBearer\s+[A-Za-z0-9._~+/-]{20,}=*",
    "password in an address": r"\b[a-z][a-z0-9+.-]{1,12}://[^\s/:@]{1,64}:[^\s/@]{3,64}@[A-Za-z0-9]",
    "password": r"(?i)\b(?:password|passwd|api_key|secret)\s*[:=]\s*[^\s,;]{6,}",
}
PERSONAL = {
    "e-mail address": r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b",
    "card number": r"\b[0-9](?:[ -]?[0-9]){12,18}\b",
    "bank account (IBAN)": r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    "phone number": r"(?:\+[0-9]{1,3}[ .-]?)\(?[0-9]{1,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}\b",
    "social security number": r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b",
    "IP address": r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
}
_ANY_SECRET = re2.compile("|".join(f"(?:{pattern})" for pattern in SECRETS.values()))
_COMPILED = {name: re2.compile(pattern) for name, pattern in {**SECRETS, **PERSONAL}.items()}


def kinds_in(text: str, patterns: dict[str, str]) -> list[str]:
    """Which of the patterns the text holds; numbers with a check digit are checked."""
    found = []
    for name in patterns:
        checked = CHECKED.get(name)
        hits = _COMPILED[name].finditer(text) if checked else ()
        if any(checked(hit.group()) for hit in hits) if checked else _COMPILED[name].search(text):
            found.append(name)
    return found


def shown(text: str) -> str:
    """The text on one line, short, and without secrets: fit for a page that is passed around."""
    return formatting.one_line(_ANY_SECRET.sub(HIDDEN, text), LONGEST)


def _is_card(number: str) -> bool:
    """The check digit of payment cards (Luhn, ISO/IEC 7812)."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    doubled = [digit if i % 2 == 0 else sum(divmod(2 * digit, 10)) for i, digit in enumerate(digits)]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _is_iban(account: str) -> bool:
    """The check digits of bank accounts (ISO 13616: modulo 97)."""
    compact = account.replace(" ", "")
    moved = compact[4:] + compact[:4]
    return 15 <= len(compact) <= 34 and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _is_address(address: str) -> bool:
    """Four numbers of a byte each, and not a version such as 1.0.0.0."""
    parts = [int(part) for part in address.split(".")]
    return max(parts) <= 255 and parts[0] >= 10 and len(set(parts)) > 1


CHECKED = {"card number": _is_card, "bank account (IBAN)": _is_iban, "IP address": _is_address}
