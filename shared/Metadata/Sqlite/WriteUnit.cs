namespace Entrepot.Metadata.Sqlite;

/// <summary>A unit that waits for its turn at the writer, and its caller, who waits for the commit.</summary>
internal abstract class WriteUnit
{
    public abstract bool TryCancel();

    public abstract Task RunAsync(DbSession session);

    public abstract void Complete();

    public abstract void Fail(Exception exception);
}

/// <inheritdoc />
internal sealed class WriteUnit<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) : WriteUnit
{
    // Continuations run elsewhere: the writer must not run its callers' code.
    private readonly TaskCompletionSource<T> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Committed => _committed.Task;

    public override bool TryCancel() => cancellationToken.IsCancellationRequested && _committed.TrySetCanceled(cancellationToken);

    public override async Task RunAsync(DbSession session) => _result = await work(session, cancellationToken);

    public override void Complete() => _committed.TrySetResult(_result);

    public override void Fail(Exception exception) => _committed.TrySetException(exception);
}
