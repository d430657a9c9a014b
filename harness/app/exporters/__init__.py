"""Where runs can be sent, one file a service: `send(parcel) -> Receipt`. The file name is what `--to` takes."""
