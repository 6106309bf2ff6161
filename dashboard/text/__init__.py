"""What the page says, by subject: values and stable codes to words. Pure, without Streamlit."""
