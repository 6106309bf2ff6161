"""The doctor: examine a gateway and one of its sessions until one cause explains what is wrong."""
