"""What Streamlit has no widget for. Texts reach the page as text, never as HTML."""
