using Entrepot.Contracts;

namespace Entrepot.Fetcher.Work;

/// <summary>How one kind of fetch is done. Called once per claim; every way out has settled the row, or leaves it to its lease.</summary>
internal interface IFetchWork
{
    FetchKind Kind { get; }

    Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken);
}
