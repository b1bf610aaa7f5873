"""Logs and stack traces → what identifies the fault."""

import re
from collections.abc import Iterator, Sequence

MAX_FAULTS = 4
MAX_FAULT_CHARACTERS = 240
MAX_ADDRESS_CHARACTERS = 120
# One line that begins with the time of day may be a sentence.
MIN_LOG_LINES = 2

# An exception's or error's name, a code, or a word that announces one.
FAULT = re.compile(
    r"""\b(?:[A-Z][\w.]{0,80}(?:Error|Exception|Fault|Failure)\b|[A-Z][A-Z\d]+(?:_[A-Z\d]+)+\b
    |0x[0-9A-Fa-f]{4,10}\b|E(?:CONN|NO|ACC|PERM|TIME|ADDR|PIPE|HOST)[A-Z]{0,12}\b
    |[A-Z]{1,5}-?\d{2,6}\b|(?:HTTP|SMTP|status|code)\W{0,2}\d{3}\b
    |(?i:errors?|exception|fehler|erreur|errore|fout(?:melding)?|failed|failure|panic|fatal)\b)""",
    re.VERBOSE,
)
_TIME = re.compile(
    r"""\[?(?:\d{4}[-/.]\d\d[-/.]\d\d[T ,]{1,2}
    |[A-Z][a-z]{2}\ {1,2}\d{1,2}\ |\d\d[./]\d\d[./]\d{2,4},?\ )?
    \d\d:\d\d:\d\d[\d.,:+Z]{0,12}\]?\s*""",
    re.VERBOSE,
)
_LEVEL = re.compile(
    r"""\W{0,3}\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRITICAL|SEVERE)\b
    [\]:|\s-]{1,6}""",
    re.VERBOSE,
)
_SEVERE = re.compile(r"\b(?:ERROR|ERR|FATAL|CRITICAL|SEVERE)\b")
_FRAME = re.compile(
    r"""at\ (?:async\ |new\ )?[^\s(]{1,200}(?:\(|\ \([^)\s]{0,200}:\d+|:\d+:\d+)
    |\.{3}\ \d+\ (?:more|common\ frames)
    |File\ "[^"]{1,300}",\ line\ \d+
    |\#\d+\s+(?:0x|/|[\w$.:<>]{1,200}\()|\[<?0x|0x[0-9a-fA-F]{9,16}\s|\d+\ {1,3}[\w.-]{2,60}\s+0x
    |Traceback\ \(most|Stack\s?trace:?$|goroutine\ \d+|from\ \S{1,200}:\d+:in\ |[\^~]+$
    |\S{1,200}\.(?:go|rb|php|js|py|c|cpp|rs):\d+(?::\d+)?(?::in\ .{1,200}|\ \+0x\S{1,20})?$
    |-*(?:BEGIN|END)\ [A-Z\ ]{3,40}-""",
    re.VERBOSE,
)
_PYTHON_FRAME = re.compile(r'File "[^"]{1,300}", line \d+')
_BLOB = re.compile(r"[A-Za-z0-9+/=_%-]{40,}")
_PADDED = re.compile(r"(?<!\S)[A-Za-z0-9+/]{12,}={1,2}(?!\S)")
_HEX = re.compile(r"\b(?:0x)?[0-9A-Fa-f]{17,}\b")
_UUID = re.compile(r"\{?\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b\}?")
_ADDRESS = re.compile(r"(https?://[^\s?#<>\"]{1,2000})[?#]?[^\s<>\"]*")
_OCTETS = re.compile(r"(?:[0-9A-F]{2}[ :]){12,}[0-9A-F]{0,2}", re.IGNORECASE)
# Rules of dashes or dots; a sentence ends once.
_REPEATED = re.compile(r"([^\w\s])\1{3,}|([.!?\u2026])[.!?\u2026]{3,}")
_SPACES = re.compile(r"[ \t]{2,}")
_DIGITS = re.compile(r"\d+")


def without_noise(text: str) -> str:
    """Leave out frames, log lines that tell no fault, encoded data and addresses' queries."""
    lines = _without_blobs(text).split("\n")
    is_log = sum(1 for line in lines if _log_prefix(line)) >= MIN_LOG_LINES
    return "\n".join(_told(lines, is_log=is_log))


def _without_blobs(text: str) -> str:
    text = _ADDRESS.sub(lambda address: address.group(1)[:MAX_ADDRESS_CHARACTERS], text)
    text = _UUID.sub("", text)
    text = _BLOB.sub(lambda run: "" if _encoded(run.group()) else run.group(), text)
    for noise in (_PADDED, _HEX, _OCTETS):
        text = noise.sub("", text)
    return _SPACES.sub(" ", _REPEATED.sub(r"\1\2", text))


def _encoded(run: str) -> bool:
    """Tell encoded bytes from long names and paths, which have few digits."""
    digits = sum(character.isdigit() for character in run)
    mixed = run != run.lower() and run != run.upper()
    return digits * 30 > len(run) and (mixed or digits > len(run) // 4)


def _told(lines: Sequence[str], *, is_log: bool) -> Iterator[str]:
    faults: set[str] = set()
    after_frame = False
    for line in map(str.strip, lines):
        # The line of code that stands below a Python frame is part of it.
        frame = _FRAME.match(line) is not None or (after_frame and not FAULT.match(line))
        after_frame = _PYTHON_FRAME.match(line) is not None
        prefix = _log_prefix(line) if is_log else 0
        if frame or (prefix and not _tells(line)):
            continue
        message = line[prefix:].strip()
        kind = _DIGITS.sub("", message)
        if not prefix:
            yield message
        elif kind not in faults and len(faults) < MAX_FAULTS:
            faults.add(kind)
            yield message[:MAX_FAULT_CHARACTERS]


def _tells(line: str) -> bool:
    return _SEVERE.search(line) is not None or FAULT.search(line) is not None


def _log_prefix(line: str) -> int:
    """Return the length of the time and level before a log line's message, 0 for other lines."""
    line = line.lstrip()
    time = _TIME.match(line)
    start = time.end() if time else 0
    level = _LEVEL.match(line, start)
    return level.end() if level else start
