"""The settings page: forms, their actions, and checks of the saved settings against the gateway."""
