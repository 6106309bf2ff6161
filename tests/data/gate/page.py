"""A small page behind the gate: it shows who is signed in, and a fragment that goes on by itself."""

from time import monotonic

import streamlit as st

from dashboard.auth.identity import current_user

user = current_user()
if user is None:
    st.stop()
st.title("Behind the gate")
st.write(f"Hello {user.name}, {user.role.value}; server is {st.query_params.get('server', 'none')}.")
st.html('<svg width="20" height="20" role="img" aria-label="square"><rect width="20" height="20"/></svg>')
if st.button("Press"):
    st.write("Pressed")


@st.fragment(run_every=0.5)
def clock() -> None:
    """Show that the page is alive."""
    if current_user() is None:
        st.stop()
    st.write(f"Ticking {monotonic():.1f}")


clock()
