"""What stands between the network and the app: headers, uploads, a class password, no word to the outside."""
