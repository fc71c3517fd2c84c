namespace Entrepot.Upstreams;

/// <summary>A body broke off: the upstream closed it early, sent nothing for the stall timeout, or sent more than it announced.</summary>
public sealed class UpstreamReadException : IOException
{
    internal UpstreamReadException(UpstreamFailure failure, Exception? innerException = null)
        : base(failure.Message, innerException) => Failure = failure;

    /// <summary>The same as a value: unavailable, or corrupt when it was more than announced.</summary>
    public UpstreamFailure Failure { get; }
}
