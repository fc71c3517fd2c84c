namespace Entrepot.Cluster;

/// <summary>The queue a process receives from: all its consumers share it.</summary>
/// <param name="Name">The queue's name at the broker.</param>
/// <param name="IsOwn">True: this replica's alone, and gone a minute after it. False: every replica takes from the same one.</param>
/// <param name="MessagesLast">How long a message may wait before it is worth nothing; null for as long as it takes.</param>
public sealed record BusQueue(string Name, bool IsOwn, TimeSpan? MessagesLast = null);
