"""Operations on sessions, by the gateway's rules: one at a time per session, reported step by step."""
