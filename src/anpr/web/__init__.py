"""The officers' console: pages rendered here, live by server-sent events (docs/adr/0015).

Data flows one way: topics → the board in its own thread (`live`) → where each incident belongs (`lanes`) → its HTML
(`render`) → the feed (`feed`) → browsers. What officers do goes to the site's own actions topic (`actions`) and
comes back by the same way as everybody else's.
"""
