"""The crash matrix: service × step × fault, each under a stream of orders of all kinds, each judged.

plan      which rows there are: what the programs list, what a point needs to be reached, what is left out. Pure
stack     one stack that stays up; for a row only its service is started anew, with the fault switched on
readers   queries beside the orders, so that those who answer them have something to do
rows      one row: fault, proof that it fell, recovery, rest, verdict
report    what is printed and written. Pure
run       all of it: ./dev chaos crash-matrix
"""
