"""The operations page: sign-in, gate, server, and the Streamlit pages."""
