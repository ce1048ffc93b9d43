"""Several page servers on one database: a run is trained by one of them and seen on all."""
