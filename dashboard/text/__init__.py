"""Texts of the page by subject: values and stable codes to words. Pure functions, without Streamlit."""
