namespace Entrepot.Fetcher;

/// <summary>Who this fetcher is in the rows it claims.</summary>
/// <param name="Owner">Unique per process start, so that a restarted process is another owner.</param>
/// <param name="Address">Where other processes reach its running fetches; empty when readers are in this process.</param>
public sealed record FetcherIdentity(string Owner, string Address);
