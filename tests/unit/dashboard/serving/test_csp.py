import base64
import hashlib
import re
from pathlib import Path

from streamlit import file_util

from dashboard.serving.csp import content_security_policy, security_headers

INDEX = Path(file_util.get_static_dir()) / "index.html"


def test_streamlits_one_inline_script_is_allowed_by_its_hash() -> None:
    scripts = re.findall(r"<script>(.*?)</script>", INDEX.read_text(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()

    policy = security_headers(INDEX)["content-security-policy"]

    assert len(scripts) == 1
    assert f"script-src 'self' 'sha256-{digest}';" in policy


def test_nothing_from_elsewhere_and_no_frame_is_allowed() -> None:
    policy = content_security_policy("")

    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy


def test_forms_of_ours_keep_their_origin() -> None:
    headers = security_headers(INDEX)

    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
