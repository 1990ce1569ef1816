"""The program `adjoint`: ``adjoint lstm`` learns and forecasts a series, ``adjoint dot`` draws a derivative's graph."""
