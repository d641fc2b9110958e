"""The door in front of mosquitto: it reads CONNECT, checks the device's token, and passes bytes on until that token ends."""
