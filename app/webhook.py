"""Posts sent replies to another program, signed as Standard Webhooks are."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

import httpx

TIMEOUT_SECONDS = 10.0
ERROR_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where sent replies are posted to, and the key that signs them."""

    url: str
    key: str

    def post(self, delivery_id: str, body: str, moment: datetime) -> str | None:
        """Post one reply; return what went wrong, None where it was taken.

        Redirects are not followed: they could lead anywhere.
        """
        content = body.encode()
        headers = {
            "content-type": "application/json",
            "idempotency-key": delivery_id,
            **self._signature(delivery_id, content, moment),
        }
        try:
            answer = httpx.post(self.url, content=content, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]
        return None if answer.is_success else f"HTTP {answer.status_code}"

    def _signature(self, delivery_id: str, content: bytes, moment: datetime) -> dict[str, str]:
        """Return the headers by which the other side knows that it is us, and not a repetition."""
        stamp = str(int(moment.timestamp()))
        headers = {"webhook-id": delivery_id, "webhook-timestamp": stamp}
        if self.key:
            signed = b".".join([delivery_id.encode(), stamp.encode(), content])
            digest = hmac.new(self.key.encode(), signed, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers
