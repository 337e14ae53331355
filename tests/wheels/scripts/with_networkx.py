# needs: networkx==2.5.1 decorator==4.4.2
import io
import json
import pickle

import networkx as nx

G = nx.Graph()
G.add_edge("a", "b", weight=4)
G.add_edge("b", "d", weight=2)
G.add_edge("a", "c", weight=3)
G.add_edge("c", "d", weight=4)
print(nx.shortest_path(G, "a", "d", weight="weight"), nx.dijkstra_path_length(G, "a", "d"), len(G), "a" in G, list(G), G["a"]["b"])
G.nodes["a"]["color"] = "red"
G["a"]["b"]["weight"] = 5
G.nodes.get("b")["color"] = "blue"
for _, attributes in G["b"].items():
    attributes["seen"] = True
print(G.nodes(data=True), G.edges["a", "b"]["weight"], nx.shortest_path(G, "a", "d", weight="weight"), list(G.edges(data=True)))
for node, neighbours in G.adj.items():
    for neighbour, attributes in neighbours.items():
        if attributes["weight"] > 3:
            print(node, neighbour, attributes["weight"])
G.graph["title"] = "roads"
print(json.dumps(G.graph), json.dumps(nx.node_link_data(G)["links"]), json.dumps(G.nodes["a"]), set(G.nodes["a"]))
D = nx.DiGraph([(1, 2), (2, 3), (3, 1), (3, 4)])
print(list(nx.simple_cycles(D)), list(D.successors(3)), D.in_degree(1), dict(D.degree()))
try:
    list(nx.topological_sort(D))
except nx.NetworkXUnfeasible as e:
    print(e)
try:
    nx.shortest_path(G, "a", "zzz")
except nx.NodeNotFound as e:
    print(e)
print(sorted(map(sorted, nx.connected_components(G))), nx.is_connected(G), nx.betweenness_centrality(G), nx.clustering(G))
print(nx.shortest_path(G, "a", "d", weight=lambda u, v, d: 1), nx.astar_path(G, "a", "d", heuristic=lambda a, b: 0, weight="weight"))


class Place:
    def __init__(self, name):
        self.name = name


home, work = Place("home"), Place("work")
P = nx.Graph([(home, work)])
print(home in P, next(iter(P.neighbors(home))) is work, len(P))


class Flow(nx.DiGraph):
    def roots(self):
        return [n for n, d in self.in_degree() if d == 0]


flow = Flow([(1, 2), (3, 2)])
print(flow.roots(), isinstance(flow, nx.Graph), flow.reverse().edges)
buffer = io.BytesIO()
nx.write_edgelist(G, buffer, data=["weight"])
print(buffer.getvalue(), nx.read_edgelist(io.BytesIO(b"1 2\n2 3\n"), nodetype=int).edges)
with open("g.gml", "wb") as file:
    nx.write_gml(G, file)
with open("g.gml", "rb") as file:
    print(nx.read_gml(file).edges)
print(pickle.loads(pickle.dumps(G)).edges, G.subgraph(["a", "b"]).edges, nx.is_isomorphic(G, G.copy()), nx.karate_club_graph().size())
